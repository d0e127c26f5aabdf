// RTM below the SDKs: tickets, frames and their answers, revocation.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { call, must } from './lib/http.mjs';
import { Server, sleep, taut, within, writeFile, newDir } from './lib/server.mjs';
import { messagesIn, Socket } from './lib/socket.mjs';

const EXPIRED = { type: 'error', error: { code: 1, msg: 'Socket URL has expired' } };

describe('rtm', { timeout: 120_000 }, () => {
  let server, ada, ben, cleo, general;
  before(async () => {
    server = await Server.start();
    [ada, ben, cleo] = server.users;
    general = server.channel('general');
  });
  after(() => server.stop());

  const refused = async (url) => {
    const socket = Socket.open(url);
    const { code } = await within(socket.closed, 10_000, 'the refusal');
    assert.deepEqual(socket.frames, [EXPIRED]);
    assert.equal(code, 1008);
  };

  test('rtm.connect says who one is, and where to connect', async () => {
    const answer = await must(server, 'rtm.connect', ada.token);
    assert.deepEqual(answer.self, { id: ada.id, name: ada.name });
    assert.deepEqual(answer.team, server.team);
    assert.match(answer.url, new RegExp(`^ws://127\\.0\\.0\\.1:${server.port}/rtm/[0-9a-f]{64}$`));
  });

  test('a ticket opens one socket, whose first message is hello with a cursor', async () => {
    const { url } = await must(server, 'rtm.connect', ada.token);
    const socket = Socket.open(url);
    const hello = await socket.next('hello', (f) => f.type === 'hello');
    assert.equal(socket.frames[0], hello);
    assert.equal(typeof hello.cursor, 'string');
    await refused(url);
    socket.terminate();
  });

  test('a ticket survives a query that a client puts behind it', async () => {
    const { url } = await must(server, 'rtm.connect', ada.token);
    const socket = Socket.open(`${url}?batch_presence_aware=1`);
    await socket.next('hello', (f) => f.type === 'hello');
    socket.terminate();
  });

  test('a ticket that never was opens nothing', async () => {
    const { url } = await must(server, 'rtm.connect', ada.token);
    await refused(url.replace(/[0-9a-f]{64}$/, '0'.repeat(64)));
    await refused(url.replace(/[0-9a-f]{64}$/, ''));
    await refused(`${url}0`);
  });

  test('of two sockets with one ticket at the same time one gets in', async () => {
    const { url } = await must(server, 'rtm.connect', ada.token);
    const sockets = [Socket.open(url), Socket.open(url)];
    const first = await Promise.all(sockets.map((s) => s.until('a frame', () => s.frames[0])));
    assert.deepEqual(first.map((f) => f.type).sort(), ['error', 'hello']);
    sockets.forEach((s) => s.terminate());
  });

  test('a message is acknowledged to its sender and seen by the others, with the same cursor', async () => {
    const [sender, again, reader] = await Promise.all([ada, ada, ben].map((u) => Socket.connect(server, u.token)));
    const ack = await sender.ask({ id: 7, type: 'message', channel: general, text: 'as stored: ü' });
    assert.deepEqual(Object.keys(ack), ['ok', 'reply_to', 'ts', 'text', 'cursor']);
    assert.equal(ack.ok, true);
    assert.equal(ack.text, 'as stored: ü');
    for (const socket of [reader, again]) {
      const event = await socket.next('the message', (f) => f.type === 'message' && f.ts === ack.ts);
      assert.equal(event.user, ada.id);
      assert.equal(event.text, ack.text);
      assert.equal(event.cursor, ack.cursor);
    }
    const marker = await must(server, 'chat.postMessage', ben.token, { channel: general, text: 'marker' });
    await sender.next('the marker', (f) => f.ts === marker.ts);
    assert.equal(messagesIn(sender.frames, general).filter((f) => f.ts === ack.ts).length, 0);
    [sender, again, reader].forEach((s) => s.terminate());
  });

  test('messages of one socket are stored in the order in which they were sent', async () => {
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'in-order' });
    const socket = await Socket.connect(server, ada.token);
    for (let i = 1; i <= 200; i++) socket.send({ id: i, type: 'message', channel: channel.id, text: `n${i}` });
    await socket.next('the last ack', (f) => f.reply_to === 200);
    const { messages } = await must(server, 'conversations.history', ada.token, { channel: channel.id, limit: 300 });
    const texts = messages.filter((m) => !m.subtype).map((m) => m.text).reverse();
    assert.deepEqual(texts, Array.from({ length: 200 }, (_, i) => `n${i + 1}`));
    socket.terminate();
  });

  test('what cannot be sent is refused in RTM’s form', async () => {
    const socket = await Socket.connect(server, ada.token);
    const { channel } = await must(server, 'conversations.create', ben.token, { name: 'bens' });
    const refusal = async (frame, error) => {
      assert.deepEqual(await socket.ask(frame), { ok: false, reply_to: frame.id, error });
    };
    const message = { type: 'message', channel: general };
    await refusal({ ...message, id: 1 }, { code: 2, msg: 'message text is missing' });
    await refusal({ ...message, id: 2, text: 7 }, { code: 2, msg: 'message text is missing' });
    await refusal({ ...message, id: 3, text: 'x', channel: 'C0000000000' }, { code: 5, msg: 'channel not found' });
    await refusal({ ...message, id: 4, text: 'x', channel: channel.id }, { code: 6, msg: 'not a member of this channel' });
    await refusal({ id: 5, type: 'nonsense' }, { code: 1, msg: 'unknown type: nonsense' });
    await refusal({ id: 6 }, { code: 1, msg: 'type is missing' });
    assert.equal((await socket.ask({ ...message, id: 8, text: 'still fine' })).ok, true);
    socket.terminate();
  });

  test('what is no frame at all is an error, and the socket stays', async () => {
    const socket = await Socket.connect(server, ada.token);
    const answers = async (text, msg) => {
      const seen = socket.frames.length;
      socket.send(text);
      await socket.until('an answer', () => socket.frames.length > seen);
      assert.deepEqual(socket.frames[seen], { type: 'error', error: { code: 3, msg } });
    };
    await answers('{"type":', 'frame is not valid JSON (byte 8)');
    await answers('[]', 'frame is not a JSON object');
    await answers(`{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 'frame is nested deeper than 32');
    assert.equal((await socket.ask({ id: 1, type: 'ping' })).type, 'pong');
    socket.terminate();
  });

  test('a frame over 16 KiB is refused', async () => {
    const socket = await Socket.connect(server, ada.token);
    socket.send({ id: 1, type: 'message', channel: general, text: 'x'.repeat(17_000) });
    const outcome = await Promise.race([
      socket.next('an error', (f) => f.type === 'error'),
      socket.closed,
    ]);
    if (outcome.type) assert.equal(outcome.error.msg, 'frame is longer than 16384 bytes');
    else assert.equal(outcome.code, 1009);
    socket.terminate();
  });

  test('a ping is echoed with all that it holds', async () => {
    const socket = await Socket.connect(server, ada.token);
    const extras = { timestamp: 1700000000123, time: 1.5, note: 'ü"', flag: true, none: null };
    assert.deepEqual(await socket.ask({ type: 'ping', id: 12, ...extras }), { type: 'pong', reply_to: 12, ...extras });
    socket.send({ type: 'ping' });
    assert.deepEqual(await socket.next('a pong', (f) => f.type === 'pong' && !f.reply_to), { type: 'pong' });
    socket.terminate();
  });

  test('a WebSocket PING is answered with the same bytes', async () => {
    const socket = await Socket.connect(server, ada.token);
    const payloads = ['', 'ping-pong_0123', `x:${Date.now()}`, 'y'.repeat(125)];
    for (const [i, p] of payloads.entries()) {
      socket.ws.ping(p); // one at a time: of several that wait, a peer need only answer the last
      await socket.until('the pong', () => socket.pongs.length === i + 1);
    }
    assert.deepEqual(socket.pongs.map(String), payloads);
    socket.terminate();
  });

  test('typing reaches the other members, not oftener than once in three seconds', async () => {
    const [typist, reader] = await Promise.all([ada, ben].map((u) => Socket.connect(server, u.token)));
    const { channel } = await must(server, 'conversations.create', cleo.token, { name: 'cleos', is_private: true });
    for (let i = 1; i <= 3; i++) typist.send({ id: i, type: 'typing', channel: general });
    const seen = await reader.next('typing', (f) => f.type === 'user_typing');
    assert.deepEqual(seen, { type: 'user_typing', channel: general, user: ada.id });
    typist.send({ id: 4, type: 'typing', channel: channel.id });
    await typist.ask({ id: 5, type: 'ping' });
    const marker = await must(server, 'chat.postMessage', ada.token, { channel: general, text: 'marker' });
    await Promise.all([typist, reader].map((s) => s.next('the marker', (f) => f.ts === marker.ts)));
    assert.equal(reader.frames.filter((f) => f.type === 'user_typing').length, 1);
    assert.equal(typist.frames.filter((f) => f.type === 'user_typing').length, 0);
    assert.equal(typist.frames.filter((f) => [1, 2, 3].includes(f.reply_to)).length, 0, 'typing has no answer');
    assert.ok(!typist.frames.some((f) => Object.keys(f).length === 0));
    [typist, reader].forEach((s) => s.terminate());
  });

  test('a revoked token closes its live sockets, and a ticket from before opens nothing', async () => {
    const made = await taut(['token', 'create', '--user', ben.name, '--data', server.data, '--json']);
    assert.equal(made.code, 0, made.err);
    const { id, token } = made.json;
    const [revoked, other] = await Promise.all([token, ben.token].map((t) => Socket.connect(server, t)));
    const { url } = await must(server, 'rtm.connect', token);
    const done = await taut(['token', 'revoke', id, '--data', server.data, '--json']);
    assert.equal(done.code, 0, done.err);
    const { code } = await within(revoked.closed, 10_000, 'the socket to close');
    assert.equal(code, 1008);
    assert.deepEqual(await call(server, 'auth.test', token), { ok: false, error: 'token_revoked' });
    await refused(url);
    assert.equal((await other.ask({ id: 1, type: 'ping' })).type, 'pong');
    other.terminate();
  });
});

describe('rtm, configured', { timeout: 60_000 }, () => {
  const configured = async (options) => {
    const printed = await taut(['demo', '--data', newDir(), '--listen', '127.0.0.1:0', '--print-config']);
    assert.equal(printed.code, 0, printed.err);
    const yaml = printed.out
      .replace(/^ {2}- rtm$/m, `  - rtm: { ${options} }`)
      .replace('rate_limits: false', 'rate_limits: true'); // which the demo switches off
    assert.ok(yaml.includes(options), printed.out);
    return Server.start({ args: ['--config', writeFile(newDir(), 'taut.yaml', yaml)] });
  };

  test('a ticket expires', async () => {
    const server = await configured('ticket_lifetime: 300ms');
    const { url } = await must(server, 'rtm.connect', server.users[0].token);
    await sleep(400);
    const socket = Socket.open(url);
    await within(socket.closed, 10_000, 'the refusal');
    assert.deepEqual(socket.frames, [EXPIRED]);
    await server.stop();
  });

  test('a connection that sends too much is told to slow down', async () => {
    const server = await configured('messages_per_second: 1');
    const socket = await Socket.connect(server, server.users[0].token);
    for (let id = 1; id <= 12; id++) socket.send({ id, type: 'message', channel: server.channel('general'), text: `${id}` });
    const told = await socket.next('the refusal', (f) => f.ok === false);
    assert.deepEqual(told.error, { code: -1, msg: 'slow down, too many messages...' });
    assert.ok(told.reply_to > 10, `the first ten pass, ${told.reply_to} did not`);
    socket.terminate();
    await server.stop();
  });
});
