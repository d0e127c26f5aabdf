// A disk that is full, or no longer answers: what callers are told, that reads go on, and that it ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { call, must, request } from './lib/http.mjs';
import { newDir, Server, sleep, TAUT, taut, within } from './lib/server.mjs';

const HANG = path.resolve(path.dirname(TAUT), '../lib/faults/hang.so');
const END_MS = 15_000;
const UNKNOWN = 'the outcome is unknown: this may or may not have been stored; repeat it with the same client_msg_id, or look before you repeat it';

// A mount of one's own, as any user where the kernel lets them.
const tmpfs = (dir) => ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"', dir];
function mayMount() {
  const dir = newDir();
  const [program, ...words] = [...tmpfs(dir), 'true'];
  return spawnSync(program, words).status === 0;
}

function fillUp(file) {
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(fd, block);
  } catch (e) {
    assert.equal(e.code, 'ENOSPC');
  }
  closeSync(fd);
}

describe('a full disk', { timeout: 120_000, skip: mayMount() ? false : 'nobody but root may mount here' }, () => {
  test('refuses messages with a reason, lets people read, and takes messages again when there is room', async () => {
    const dir = newDir();
    const server = await Server.start({ data: path.join(dir, 'data'), wrap: tmpfs(dir) });
    const ballast = path.join(`/proc/${server.child.pid}/root`, dir, 'ballast');
    const [ada] = server.users;
    const channel = server.channel('general');
    const post = (text) => call(server, 'chat.postMessage', ada.token, { channel, text });
    const history = async () => (await must(server, 'conversations.history', ada.token, { channel, limit: 900 })).messages;
    const ready = () => request({ url: server.admin_url }, { method: 'GET', path: '/readyz' });
    const acknowledged = ['before it was full'];
    assert.equal((await post(acknowledged[0])).ok, true);

    fillUp(ballast);
    let answer;
    for (let i = 0; i < 500 && (answer = await post(`number ${i} ${'x'.repeat(3000)}`)).ok; i++) acknowledged.push(answer.message.text);
    assert.equal(answer.error, 'fatal_error'); // the one that met it
    assert.deepEqual(answer.response_metadata.messages, [`[ERROR] ${UNKNOWN}`]);
    for (let i = 0; i < 3; i++) {
      answer = await post('while it is full');
      assert.equal(answer.error, 'service_unavailable');
      assert.deepEqual(answer.response_metadata.messages, [
        '[ERROR] the store takes nothing at the moment (disk full); try again later',
      ]);
    }
    const { status, json } = await ready();
    assert.equal(status, 503);
    assert.deepEqual(json.reasons.find((r) => r.code === 'disk_full'), {
      module: 'store_sqlite', level: 'down', code: 'disk_full',
      text: 'nothing is stored at the moment: disk full; reads go on, and it is tried again by itself',
    });
    const seen = (await history()).map((m) => m.text);
    assert.ok(acknowledged.every((t) => seen.includes(t)));
    assert.ok(!seen.includes('while it is full'));
    assert.match(server.log, /store_sync: \S+\/taut\.db: a commit failed, .*: disk full \(SQLite 13/);
    assert.doesNotMatch(server.log, /store_healed/);

    const elsewhere = path.join(newDir(), 'backup.db');
    const backup = await taut(['backup', elsewhere, '--data', path.join(`/proc/${server.child.pid}/root`, dir, 'data')]);
    assert.deepEqual(
      [backup.code, backup.err, existsSync(elsewhere)],
      [1, 'taut backup: backup_failed: the store takes nothing at the moment (disk full); try again when it does\n', false],
    );

    rmSync(ballast);
    for (let i = 0; i < 100 && !(answer = await post('there is room again')).ok; i++) await sleep(50);
    assert.equal(answer.ok, true);
    assert.match(server.log, /store_healed: \S+: the store works again/);
    assert.equal((await ready()).status, 200);
    await server.stop();
  });
});

describe('a file that may not become larger', { timeout: 120_000 }, () => {
  test('is for the server as a full disk: it goes on', async () => {
    const server = await Server.start({ wrap: ['bash', '-c', 'ulimit -f 1500; exec "$@"', 'bash'] });
    const [ada] = server.users;
    const channel = server.channel('general');
    let answer;
    for (let i = 0; i < 2000; i++) {
      answer = await call(server, 'chat.postMessage', ada.token, { channel, text: `number ${i} ${'x'.repeat(3000)}` });
      if (!answer.ok) break;
    }
    assert.ok(['fatal_error', 'service_unavailable'].includes(answer.error), JSON.stringify(answer));
    assert.match(server.log, /a commit failed, .*: the file would be larger than is allowed \(/);
    await must(server, 'conversations.history', ada.token, { channel, limit: 1 });
    await server.stop();
  });
});

describe('a disk that no longer answers', { timeout: 120_000 }, () => {
  test('does not keep a server from ending within 15 s of SIGTERM, and loses nothing that was acknowledged', async () => {
    const flag = path.join(newDir(), 'hangs');
    const asan = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`;
    const env = { LD_PRELOAD: HANG, TAUT_HANG: flag, ASAN_OPTIONS: asan };
    const server = await Server.start({ env });
    const [ada] = server.users;
    const channel = server.channel('general');
    const post = (text) => call(server, 'chat.postMessage', ada.token, { channel, text });
    assert.equal((await post('before it hangs')).ok, true);
    writeFileSync(flag, '');
    const lost = post('while it hangs').catch((e) => e);
    await sleep(300);
    assert.equal((await must(server, 'conversations.history', ada.token, { channel, limit: 1 })).messages[0].text, 'before it hangs');
    const asked = Date.now();
    server.child.kill('SIGTERM');
    await within(server.exited, END_MS, 'the end');
    assert.ok(Date.now() - asked < END_MS);
    assert.notEqual((await lost).ok, true);
    assert.match(server.log, /store_sqlite stop_timeout: did not stop within 7 s; it is left as it is/);
    rmSync(flag);
    await server.up();
    const { messages } = await must(server, 'conversations.history', ada.token, { channel, limit: 10 });
    assert.ok(messages.some((m) => m.text === 'before it hangs'));
    await server.stop();
  });
});
