// No ok, and no event, leaves before the fdatasync that covers it: the server runs under strace, concurrent clients
// post, and the log of its system calls is read. For each post P there must be, in this order: the end of the write
// of P to the WAL; the beginning of an fdatasync on the WAL; its successful end; the beginning of any send that holds P.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';

import { Api } from './lib/api.mjs';
import { connect_rtm, message_of } from './lib/rtm.mjs';
import { free_port, new_dir, Server } from './lib/server.mjs';
import { read_strace, STRACE, TRACED_ENV } from './lib/strace.mjs';
import { finish, note, ok, test } from './lib/tap.mjs';

const POSTS = 60;
const CLIENTS = 10;
const TRACED = 'fdatasync,fsync,pwrite64,sendto,write,writev,sendmsg,sendmmsg';
const SENDS = new Set(['sendto', 'write', 'writev', 'sendmsg', 'sendmmsg']);

async function traced_posts(dir) {
  const log = path.join(dir, 'strace.log');
  const wrap = [...STRACE, '-s', '8192', '-o', log, '-e', `trace=${TRACED}`, '-e', 'signal=none'];
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
    const keys = Array.from({ length: POSTS }, () => randomUUID());
    const queue = [...keys];
    const channel = info.channels[0].id;
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      while (queue.length) {
        const key = queue.shift();
        await api.must('chat.postMessage', info.users[0].token, { channel, text: `post ${key}`, client_msg_id: key });
      }
    }));
    for (let i = 0; i < 200 && keys.some((k) => !seen.has(k)); i++) await new Promise((r) => setTimeout(r, 25));
    socket.close();
    api.close();
    await server.stop();
    return { keys, seen, calls: read_strace(log) };
  } finally {
    await server.kill();
  }
}

// What is wrong about this post's order of system calls, or null; and how many sends held it.
function judge(key, calls) {
  const with_key = calls.filter((c) => c.text.includes(key));
  const write = with_key.find((c) => c.name === 'pwrite64' && /-wal>/.test(c.text));
  const sends = with_key.filter((c) => SENDS.has(c.name) && /^\w+\(\d+<(TCP|socket):/.test(c.text));
  if (!write) return { why: `${key} was never written to the WAL`, sends: sends.length };
  const first = sends[0];
  if (!first) return { why: `no send holds ${key}`, sends: 0 };
  const sync = calls.find((c) => /^f(data)?sync\(\d+<[^>]*-wal>/.test(c.text) && / = 0( |$)/.test(c.text) && c.begin_line > write.end_line);
  if (!sync || sync.end_line > first.begin_line)
    return { why: `${key} left before its fdatasync had returned:\n${[write, first, sync].map(brief).join('\n')}`, sends: sends.length };
  return { why: null, sends: sends.length };
}

const brief = (c) => (c ? `${c.begin} ${c.text.slice(0, 80)} … ${c.text.slice(-20)}` : 'no fdatasync');

const dir = new_dir('strace');
await test('under strace, concurrent clients post and another receives', async () => {
  const { keys, seen, calls } = await traced_posts(dir);
  const verdicts = keys.map((key) => judge(key, calls));
  const bad = verdicts.filter((v) => v.why);
  const sends = verdicts.reduce((n, v) => n + v.sends, 0);
  const syncs = calls.filter((c) => /^f(data)?sync\(\d+<[^>]*-wal>/.test(c.text)).length;
  note(`${keys.length} posts in ${sends} sends; ${syncs} syncs of the WAL`);
  ok(bad.length === 0, 'no ok and no event leaves before the fdatasync that covers it has returned', bad.map((v) => v.why).slice(0, 3).join('\n'));
  ok(keys.every((k) => seen.has(k)), 'every post was received');
  ok(sends >= 2 * keys.length, 'the log holds the answer and the event of each post');
});
rmSync(dir, { recursive: true, force: true });
finish();
