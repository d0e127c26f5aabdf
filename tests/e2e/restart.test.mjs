// What outlives the process: everything that was acknowledged, ids, tokens, and the keys of retries.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { call, many, must } from './lib/http.mjs';
import { Server } from './lib/server.mjs';
import { messagesIn, Socket } from './lib/socket.mjs';

describe('a restart', { timeout: 180_000 }, () => {
  let server, ada, ben, general;
  before(async () => {
    server = await Server.start();
    [ada, ben] = server.users;
    general = server.channel('general');
  });
  after(() => server.stop());
  const post = (args, token = ada.token) => must(server, 'chat.postMessage', token, { channel: general, ...args });

  test('gives the same ids and tokens, says so in one line, and adds nothing', async () => {
    const { url, admin_url, team, users, bot, channels, lines } = server;
    assert.deepEqual(lines.length, 1, 'stdout carries one line');
    assert.deepEqual(Object.keys(JSON.parse(lines[0])), ['url', 'admin_url', 'team', 'users', 'bot', 'channels']);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(admin_url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(users.length >= 3);
    for (const name of ['general', 'random']) assert.ok(channels.some((c) => c.name === name));
    const everything = async () => {
      const list = await must(server, 'conversations.list', ada.token, {
        types: 'public_channel,private_channel,im,mpim',
        limit: 1000,
      });
      const people = await must(server, 'users.list', ada.token, { limit: 1000 });
      const histories = {};
      for (const c of list.channels) {
        if (!c.is_member && !c.is_im) continue;
        histories[c.id] = (await must(server, 'conversations.history', ada.token, { channel: c.id, limit: 999 })).messages;
      }
      const all = { channels: list.channels, people: people.members, histories };
      return JSON.parse(JSON.stringify(all).replaceAll(server.url, 'URL')); // pictures are at its address
    };
    const before = await everything();
    await server.restart();
    assert.deepEqual({ team: server.team, users: server.users, bot: server.bot, channels: server.channels }, { team, users, bot, channels });
    assert.deepEqual(await everything(), before);
  });

  test('finds the demo’s tokens in a file that only its owner can read, and only hashes in the store', () => {
    const file = path.join(server.data, 'demo.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(readFileSync(file, 'utf8').includes(ada.token));
  });

  test('keeps every message, edit, deletion, reaction and read mark', async () => {
    const a = await post({ text: 'stays' });
    const b = await post({ text: 'changes' });
    const c = await post({ text: 'goes' });
    await must(server, 'chat.update', ada.token, { channel: general, ts: b.ts, text: 'changed' });
    await must(server, 'chat.delete', ada.token, { channel: general, ts: c.ts });
    await must(server, 'reactions.add', ben.token, { channel: general, timestamp: a.ts, name: 'heart' });
    await must(server, 'conversations.mark', ben.token, { channel: general, ts: a.ts });
    const look = async () => ({
      history: (await must(server, 'conversations.history', ada.token, { channel: general, limit: 100 })).messages,
      info: (await must(server, 'conversations.info', ben.token, { channel: general })).channel,
    });
    const before = await look();
    await server.restart();
    const now = await look();
    assert.deepEqual(now, before);
    assert.equal(now.info.last_read, a.ts);
    assert.deepEqual(now.history.find((m) => m.ts === a.ts).reactions, [{ name: 'heart', users: [ben.id], count: 1 }]);
  });

  test('is survived by what was acknowledged before kill -9', async () => {
    const sent = await many(100, 20, (i) => post({ text: `before the kill ${i}` }));
    await server.kill();
    await server.up();
    const { messages } = await must(server, 'conversations.history', ada.token, { channel: general, limit: 200 });
    const there = new Set(messages.map((m) => m.ts));
    for (const { ts } of sent) assert.ok(there.has(ts), ts);
  });

  test('does not let a retried message in twice', async () => {
    const id = 'c0ffee00-0000-4000-8000-000000000001';
    const first = await post({ text: 'once', client_msg_id: id });
    const retry = await post({ text: 'once', client_msg_id: id });
    assert.equal(retry.ts, first.ts);
    assert.deepEqual(retry.message, first.message);
    await server.restart();
    const late = await post({ text: 'once', client_msg_id: id });
    assert.equal(late.ts, first.ts);
    const { messages } = await must(server, 'conversations.history', ada.token, { channel: general, limit: 100 });
    assert.equal(messages.filter((m) => m.text === 'once').length, 1);
    const other = await post({ text: 'once', client_msg_id: id }, ben.token);
    assert.notEqual(other.ts, first.ts, 'the key is the sender’s own');
  });

  test('does not let a message in twice that is retried while the first try is under way', async () => {
    const id = 'c0ffee00-0000-4000-8000-000000000002';
    const socket = await Socket.connect(server, ben.token);
    const tries = await many(20, 20, () => post({ text: 'twenty tries', client_msg_id: id }));
    assert.equal(new Set(tries.map((t) => t.ts)).size, 1);
    const marker = await post({ text: 'after the tries' });
    await socket.next('the marker', (f) => f.ts === marker.ts);
    assert.equal(messagesIn(socket.frames, general).filter((f) => f.text === 'twenty tries').length, 1);
    socket.terminate();
  });

  test('does not let an RTM message in twice', async () => {
    const socket = await Socket.connect(server, ada.token);
    const frame = { type: 'message', channel: general, text: 'rtm once', client_msg_id: 'c0ffee00-0000-4000-8000-000000000003' };
    const one = await socket.ask({ ...frame, id: 1 });
    const two = await socket.ask({ ...frame, id: 2 });
    assert.equal(one.ok && two.ok, true);
    assert.equal(one.ts, two.ts);
    socket.terminate();
  });

  test('closes sockets with 1001 and says goodbye to nobody twice', async () => {
    const socket = await Socket.connect(server, ada.token);
    await server.restart();
    assert.equal((await socket.closed).code, 1001);
    assert.equal((await call(server, 'auth.test', ada.token)).ok, true);
  });
});
