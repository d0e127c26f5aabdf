// taut backup and taut restore, as an operator has them.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { call, must } from './lib/http.mjs';
import { newDir, Server, sleep, taut, writeFile } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

// The store is put away, as with its disk.
function lose(data) {
  const away = path.join(data, 'away');
  mkdirSync(away, { recursive: true });
  for (const name of readdirSync(data)) if (name.startsWith('taut.db')) renameSync(path.join(data, name), path.join(away, name));
}

describe('a backup', { timeout: 180_000 }, () => {
  let server, ada, general, dir;
  before(async () => {
    server = await Server.start();
    [ada] = server.users;
    general = server.channel('general');
    dir = newDir();
  });
  after(() => server.stop());
  const post = (text, more = {}) => call(server, 'chat.postMessage', ada.token, { channel: general, text, ...more });
  const texts = async () =>
    (await must(server, 'conversations.history', ada.token, { channel: general, limit: 999 })).messages.map((m) => m.text);
  const operator = (...args) => taut([...args, '--data', server.data]);

  test('is made while people write, and holds what was acknowledged before it began', async () => {
    const file = path.join(dir, 'one.db');
    const key = '5f1e0c1a-0000-4000-8000-000000000001';
    for (let i = 0; i < 20; i++) assert.equal((await post(`before ${i}`)).ok, true);
    const first = await post('claimed', { client_msg_id: key });
    let made = false;
    const making = operator('backup', file).finally(() => (made = true));
    let during = 0;
    while (!made) assert.equal((await post(`during ${during++}`)).ok, true);
    const r = await making;
    assert.equal(r.code, 0, r.err);
    assert.match(r.out, /^\S+one\.db: the store as of its commit \d+, \d+ bytes\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dir), ['one.db']);
    await post('after');

    await server.stop();
    lose(server.data);
    const restored = await operator('restore', file);
    assert.equal(restored.code, 0, restored.err);
    assert.match(restored.out, /taut\.db is restored from \S+one\.db, \d+ bytes\n$/);
    await server.up();
    const there = await texts();
    for (let i = 0; i < 20; i++) assert.ok(there.includes(`before ${i}`));
    assert.ok(!there.includes('after'));
    assert.equal((await post('claimed', { client_msg_id: key })).ts, first.ts, 'a retry gets its first answer');
    assert.equal((await texts()).filter((t) => t === 'claimed').length, 1);
  });

  test('once restored gives every event a position behind all that were ever given', async () => {
    const file = path.join(dir, 'two.db');
    const socket = await Socket.connect(server, ada.token);
    const seen = async (on, text) => BigInt(`0x${(await on.next(text, (f) => f.text === text)).cursor.slice(2)}`);
    assert.equal((await operator('backup', file)).code, 0);
    await post('will be lost');
    const lost = await seen(socket, 'will be lost');
    await server.stop();
    lose(server.data);
    assert.equal((await operator('restore', file)).code, 0);
    await server.up();
    const again = await Socket.connect(server, ada.token);
    await post('after the restore');
    assert.ok((await seen(again, 'after the restore')) > lost + 1n);
  });

  test('that a stop of the server ends is said to be none', async () => {
    const into = newDir(), file = path.join(into, 'cut.db');
    for (let i = 0; i < 900; i++) assert.equal((await post(`${i} ${'x'.repeat(30_000)}`)).ok, true);
    const making = operator('backup', file);
    while (!readdirSync(into).length) await sleep(1);
    const stopped = server.stop();
    const r = await making;
    await stopped;
    if (r.code === 0) assert.deepEqual(readdirSync(into), ['cut.db']); // it was faster
    else assert.match(r.err, /^taut backup: .*the server stops; there is no backup\n$/);
    if (r.code !== 0) assert.deepEqual(readdirSync(into), []);
    await server.up();
  });

  test('is refused where there is a file, and by whom it cannot be read back is said', async () => {
    const file = path.join(dir, 'one.db');
    const again = await operator('backup', file);
    assert.equal(again.code, 1);
    assert.equal(again.err, `taut backup: file_exists: ${file} is there already; nothing is ever overwritten: choose another name\n`);
    const running = await operator('restore', file);
    assert.equal(running.code, 1);
    assert.equal(running.err, 'taut restore: server_running: this command needs the store to itself; stop the server first\n');
    await server.stop();
    const store = path.join(server.data, 'taut.db');
    const occupied = await operator('restore', file);
    assert.equal(occupied.code, 1);
    assert.equal(
      occupied.err,
      `taut restore: there is a store already: ${store}; nothing was changed. Move it away first, with its -wal and -shm, and do not throw it away before the restored one is seen to be good\n`,
    );
    const nameless = await operator('backup', '');
    assert.deepEqual([nameless.code, nameless.err], [1, 'taut backup: the name of the file is empty\n']);
    assert.equal((await operator('backup', path.join(dir, 'offline.db'))).code, 0, 'it needs no server');
    const raw = await taut(['restore', store, '--data', path.join(dir, 'raw')]);
    assert.equal(raw.code, 1);
    assert.match(raw.err, /taut\.db was not made by `taut backup`: what was in its -wal is not in it; start a server on it and back that up; nothing was changed\n$/);
    const other = await taut(['restore', path.join(dir, 'offline.db'), '--data', path.join(dir, 'new')]);
    assert.equal(other.code, 0, other.err);
    await server.up();
  });

  test('that was killed in the middle is not taken for an empty store, and can be done again', async () => {
    const file = path.join(dir, 'again.db');
    assert.equal((await operator('backup', file)).code, 0);
    await server.stop();
    lose(server.data);
    writeFile(server.data, 'taut.db.tmp-a1B2c3', 'half of it');
    const config = writeFile(newDir(), 'taut.yaml', 'server: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }\nmodules: [store_sqlite]\n');
    const { code, err } = await taut(['serve', '-c', config, '--data', server.data]);
    assert.equal(code, 1);
    assert.match(
      err,
      /^taut serve: module store_sqlite: the store could not be opened: \S+taut\.db is not there, but taut\.db\.tmp-a1B2c3 is beside it: a restore was ended before it was done\. Run `taut restore` again; or remove that file, to begin with an empty store$/m,
    );
    assert.equal((await operator('restore', file)).code, 0);
    assert.ok(!readdirSync(server.data).some((name) => name.includes('.tmp-')));
    await server.up();
  });
});
