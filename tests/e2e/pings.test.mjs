// The server's own PINGs, without which some SDKs give a connection up.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Person } from './lib/people.mjs';
import { newDir, Server, sleep, taut, writeFile } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

test('the server sends a PING with a payload every ten seconds', { timeout: 60_000 }, async () => {
  const server = await Server.start();
  const socket = await Socket.connect(server, server.users[0].token);
  const connected_ms = Date.now();
  await socket.until('two pings', () => socket.pings.length >= 2, 30_000);
  const [first, second] = socket.pings;
  assert.ok(first.data.length > 0 && second.data.length > 0);
  assert.ok(first.at_ms - connected_ms < 12_000, `the first came after ${first.at_ms - connected_ms} ms`);
  const gap_ms = second.at_ms - first.at_ms;
  assert.ok(gap_ms > 8_000 && gap_ms < 12_000, `${gap_ms} ms between them`);
  socket.terminate();
  await server.stop();
});

// A PONG repeats the PING's bytes: once the peer has sent a frame, nothing in them may end the connection.
test('who has sent a frame stays connected through many PINGs', { timeout: 60_000 }, async () => {
  const printed = await taut(['demo', '--data', newDir(), '--listen', '127.0.0.1:0', '--print-config']);
  const yaml = printed.out.replace(/^server:\n/m, 'server:\n  ping_interval: 1s\n');
  assert.notEqual(yaml, printed.out, printed.out + printed.err);
  const server = await Server.start({ args: ['--config', writeFile(newDir(), 'taut.yaml', yaml)] });
  const person = await Person.connect(server, server.users[0]);
  const socket = await Socket.connect(server, server.users[1].token);
  let ended;
  person.rtm.on('disconnected', () => (ended = 'the RTM client was disconnected'));
  person.rtm.on('reconnecting', () => (ended = 'the RTM client reconnects'));
  socket.closed.then((how) => (ended = `the socket was closed: ${JSON.stringify(how)}`));
  await person.rtm.sendMessage('hello', server.channel('general'));
  await socket.ask({ id: 1, type: 'ping' });
  socket.ws.pong(Buffer.from([0xff, 0x00, 0xfe]));
  await sleep(4_000);
  assert.equal(ended, undefined);
  assert.ok(socket.pings.length >= 3, `${socket.pings.length} pings`);
  await socket.ask({ id: 2, type: 'ping' });
  await person.rtm.sendMessage('still there', server.channel('general'));
  socket.terminate();
  await server.stop();
});
