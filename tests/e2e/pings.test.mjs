// The server's own PINGs, without which some SDKs give a connection up.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Server } from './lib/server.mjs';
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
