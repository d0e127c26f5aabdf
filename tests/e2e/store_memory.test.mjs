// The core and its modules depend on what storage/1 says and on nothing else of the store: the same server runs on another
// provider, one that keeps everything in memory (tests/store_memory).
import assert from 'node:assert/strict';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { many, must } from './lib/http.mjs';
import { newDir, Server, TAUT } from './lib/server.mjs';
import { messagesIn, Socket } from './lib/socket.mjs';

// A folder with every module but store_sqlite, and store_memory in its place.
function modulesWithStoreMemory() {
  const lib = path.resolve(path.dirname(TAUT), '../lib');
  const dir = newDir();
  for (const name of readdirSync(path.join(lib, 'taut')))
    if (name.endsWith('.so') && name !== 'store_sqlite.so') symlinkSync(path.join(lib, 'taut', name), path.join(dir, name));
  symlinkSync(path.join(lib, 'testmods/store_memory.so'), path.join(dir, 'store_memory.so'));
  return dir;
}

describe('a server on store_memory', { timeout: 120_000 }, () => {
  let server, ada, ben, general;
  before(async () => {
    server = await Server.start({ env: { TAUT_MODULE_DIR: modulesWithStoreMemory() } });
    [ada, ben] = server.users;
    general = server.channel('general');
  });
  after(() => server.stop());

  test('posts, shows to others, and reads the history back', async () => {
    assert.ok(!existsSync(path.join(server.data, 'taut.db')), 'no store_sqlite is at work');
    const socket = await Socket.connect(server, ben.token);
    const sent = await many(60, 10, (i) =>
      must(server, 'chat.postMessage', ada.token, { channel: general, text: `in memory ${i}`, client_msg_id: `m${i}` }),
    );
    await socket.until('60 messages', () => messagesIn(socket.frames, general).length >= 60);
    const { messages } = await must(server, 'conversations.history', ben.token, { channel: general, limit: 200 });
    const there = new Map(messages.map((m) => [m.ts, m.text]));
    for (const m of sent) assert.equal(there.get(m.ts), m.message.text);
    socket.terminate();
  });

  test('answers a retry as the first time', async () => {
    const args = { channel: general, text: 'once', client_msg_id: 'a-retry' };
    const first = await must(server, 'chat.postMessage', ada.token, args);
    const again = await must(server, 'chat.postMessage', ada.token, args);
    assert.equal(again.ts, first.ts);
  });

  test('edits, deletes, and lists channels and people', async () => {
    const a = await must(server, 'chat.postMessage', ada.token, { channel: general, text: 'before' });
    const b = await must(server, 'chat.postMessage', ada.token, { channel: general, text: 'goes' });
    await must(server, 'chat.update', ada.token, { channel: general, ts: a.ts, text: 'after' });
    await must(server, 'chat.delete', ada.token, { channel: general, ts: b.ts });
    const { messages } = await must(server, 'conversations.history', ada.token, { channel: general, limit: 3 });
    assert.equal(messages.find((m) => m.ts === a.ts).text, 'after');
    assert.ok(!messages.some((m) => m.ts === b.ts));
    const { channels } = await must(server, 'conversations.list', ada.token, { limit: 100 });
    assert.ok(channels.some((c) => c.id === general));
    assert.ok((await must(server, 'users.list', ada.token, { limit: 100 })).members.length >= 3);
  });
});
