// Clients that do not read while others write: the half of promise P5 that is about memory. Posts of 30 KB, many times
// what all queues and the tail of the log may hold; the server may grow by those and no more. Nor when all of them read
// again, and are given from the store what they have missed.
import { randomUUID } from 'node:crypto';
import path from 'node:path';

import { check } from '../checker.mjs';
import { Api } from './api.mjs';
import { configuration } from './configuration.mjs';
import { History } from './history.mjs';
import { connect_rtm } from './rtm.mjs';
import { rss_kib, watch_memory } from './rss.mjs';
import { free_port, new_dir, Server } from './server.mjs';

const STALLED = 24;
const QUEUE_KIB = 256;
const POST_BYTES = 30_000;
const WARM_POSTS = 600; // the tail is full, caches and allocator have what they want
const POSTS = 3000; // 86 MiB
const SPARE_KIB = 24 * 1024;
const AT_ONCE = 16;
const LAST = 'this is the last one';
const CATCH_UP_MS = 60_000;

export async function stalled_run({ env = {}, bin } = {}) {
  const dir = new_dir('stalled');
  const server = new Server({ dir: path.join(dir, 'data'), port: await free_port(), env, ...(bin ? { bin } : {}) });
  server.options.args.push('--config', configuration(server, path.join(dir, 'taut.yaml'), { connection_queue: `${QUEUE_KIB}KiB`, tail_events: 500 }));
  const history = new History(path.join(dir, 'history.jsonl'));
  try {
    const info = await server.start();
    const api = new Api(info.url);
    await post_all(api, info, WARM_POSTS);
    const sockets = [];
    const caught_up = [];
    for (let i = 0; i < STALLED; i++) {
      const reader = {};
      caught_up.push(new Promise((resolve) => (reader.on_event = ({ frame }) => frame.text === LAST && resolve())));
      sockets.push(await connect_rtm(api, info.users[1].token, { on_hello: () => {}, ...reader }));
    }
    sockets.forEach((s) => s.pause());
    const before_kib = rss_kib(server.pid());
    history.add('bound', { kib: before_kib + STALLED * QUEUE_KIB + SPARE_KIB, stalled: STALLED, before_kib });
    const stop = watch_memory(server, history);
    await post_all(api, info, POSTS);
    await api.must('chat.postMessage', info.users[0].token, { channel: info.channels[0].id, text: LAST });
    sockets.forEach((s) => s.resume());
    await within(CATCH_UP_MS, Promise.all(caught_up));
    stop();
    history.add('rss', { kib: rss_kib(server.pid()) });
    sockets.forEach((s) => s.close());
    api.close();
    await server.stop();
    history.close();
    return { found: check(history.path), dir, files: [history.path] };
  } finally {
    history.close();
    await server.kill();
  }
}

async function within(ms, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`not all have caught up in ${ms} ms`)), ms)));
  await Promise.race([what, late]).finally(() => clearTimeout(timer));
}

async function post_all(api, info, n) {
  let left = n;
  const text = 'x'.repeat(POST_BYTES);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await api.must('chat.postMessage', info.users[0].token, { channel: info.channels[0].id, text, client_msg_id: randomUUID() });
  }));
}
