// No ok, and no event, leaves before the fdatasync that covers it: the server runs under strace, concurrent clients
// post, and its system calls become records for the checker (STALE-ACK). Then once more with a sync that fails: what
// the failed one was to cover must not leave on the word of the same handle.
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { check, describe } from './checker.mjs';
import { Api } from './lib/api.mjs';
import { disk_records } from './lib/disk_records.mjs';
import { connect_rtm, message_of } from './lib/rtm.mjs';
import { free_port, new_dir, Server } from './lib/server.mjs';
import { read_strace, STRACE, TRACED_ENV } from './lib/strace.mjs';
import { finish, note, ok, test } from './lib/tap.mjs';
import { sleep } from './lib/text.mjs';

const POSTS = 60;
const FAILING_POSTS = 240; // by ten at a time: more groups than the sync that fails has before it
const CLIENTS = 10;
const TRACED = 'fdatasync,fsync,pwrite64,sendto,write,writev,sendmsg,sendmmsg,close';
const FAILING = 'inject=fdatasync:error=EIO:when=12';
const SEEN_MS = 5000;

// posts: how many; inject: what strace is to do to the server, or nothing
async function traced_posts(dir, posts, inject = []) {
  const log = path.join(dir, 'strace.log');
  mkdirSync(dir);
  const wrap = [...STRACE, '-s', '8192', '-o', log, '-e', `trace=${TRACED}`, '-e', 'signal=none', ...inject.flatMap((i) => ['-e', i])];
  const where = { dir: path.join(dir, 'data'), port: await free_port() };
  const maker = new Server({ ...where, env: { TAUT_MUTANT: '' } });
  await maker.start();
  await maker.stop();
  const server = new Server({ ...where, wrap, env: TRACED_ENV });
  try {
    const info = await server.start();
    const api = new Api(info.url);
    const seen = new Set();
    const socket = await connect_rtm(api, info.users[1].token, {
      on_hello: () => {},
      on_event: ({ frame }) => seen.add(message_of(frame)?.key),
    });
    const keys = Array.from({ length: posts }, () => randomUUID());
    await post_all(api, info, [...keys]);
    for (let waited = 0; waited < SEEN_MS && keys.some((k) => !seen.has(k)); waited += 25) await sleep(25);
    socket.close();
    api.close();
    await server.stop();
    return { keys, seen, records: disk_records(read_strace(log), new Set(keys)) };
  } finally {
    await server.kill();
  }
}

// Each until it is acknowledged.
async function post_all(api, info, queue) {
  const channel = info.channels[0].id;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (queue.length) {
      const key = queue.shift();
      const args = { channel, text: `post ${key}`, client_msg_id: key };
      while ((await api.call('chat.postMessage', info.users[0].token, args)).kind !== 'ok') await sleep(20);
    }
  }));
}

const dir = new_dir('strace');
await test('under strace, concurrent clients post and another receives', async () => {
  const { keys, seen, records } = await traced_posts(path.join(dir, 'sound'), POSTS);
  const count = (e) => records.filter((r) => r.e === e).length;
  const found = check(records);
  note(`${keys.length} posts in ${count('left')} sends; ${count('synced')} syncs of the WAL`);
  ok(found.length === 0, 'no ok and no event leaves before the fdatasync that covers it has returned', describe(found));
  ok(keys.every((k) => seen.has(k)), 'every post was received');
  ok(count('left') >= 2 * keys.length, 'the log holds the answer and the event of each post');
});
await test('under strace, one sync of the log fails', async () => {
  const { keys, seen, records } = await traced_posts(path.join(dir, 'failing'), FAILING_POSTS, [FAILING]);
  const found = check(records);
  const failed = records.filter((r) => r.e === 'synced' && !r.ok);
  ok(failed.length === 1, 'a sync failed', JSON.stringify(failed));
  ok(found.length === 0, 'nothing leaves any more on the word of a handle whose sync has failed', describe(found));
  ok(keys.every((k) => seen.has(k)), 'every post was acknowledged in the end, and received');
});
rmSync(dir, { recursive: true, force: true });
finish();
