// A caller that goes away, or whose call times out, while its commit is under way: the event still reaches everybody,
// once, and a retry with the same key gets the first answer. strace delays each fdatasync of the server.
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Api } from './lib/api.mjs';
import { connect_rtm, message_of } from './lib/rtm.mjs';
import { free_port, new_dir, Server, TAUT } from './lib/server.mjs';
import { STRACE, TRACED_ENV } from './lib/strace.mjs';
import { finish, ok, test } from './lib/tap.mjs';

const DELAY_MS = 1500;
const CALL_TIMEOUT_MS = 300;
const LEAVES_AFTER_MS = 150;
const WAIT_MS = 20_000;

const dir = new_dir('slow');
const data = path.join(dir, 'data');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function made_beforehand(port) {
  const server = new Server({ dir: data, port });
  await server.start();
  await server.stop();
}

function configuration(port) {
  const yaml = execFileSync(TAUT, ['demo', '--data', data, '--listen', `127.0.0.1:${port}`, '--print-config'], { encoding: 'utf8' });
  const file = path.join(dir, 'taut.yaml');
  const without = yaml.replace(/^ +call_timeout:.*\n/m, '');
  writeFileSync(file, without.replace(/^server:\n/m, `server:\n  call_timeout: ${CALL_TIMEOUT_MS}ms\n`));
  return file;
}

async function eventually(what) {
  for (let waited = 0; waited < WAIT_MS; waited += 20) {
    if (what()) return true;
    await sleep(20);
  }
  return false;
}

async function cases(info) {
  const api = new Api(info.url);
  const events = [];
  const socket = await connect_rtm(api, info.users[1].token, {
    on_hello: () => {},
    on_event: ({ frame }) => events.push(message_of(frame)),
  });
  const of = (key) => events.filter((m) => m?.key === key);
  const channel = info.channels[0].id;
  const post = (key, ms) => api.call('chat.postMessage', info.users[0].token, { channel, text: `slow ${key}`, client_msg_id: key }, ms);
  const retried = async (key) => {
    let r;
    for (let i = 0; i < 20; i++) if ((r = await post(key)).kind === 'ok') return r.body.ts;
    return `${r.kind} ${r.error}`;
  };

  const [left, late] = [randomUUID(), randomUUID()];
  const gone = await post(left, LEAVES_AFTER_MS);
  ok(gone.kind === 'unknown', 'a caller disconnects while its commit is under way', JSON.stringify(gone));
  ok(await eventually(() => of(left).length), 'its message reaches everybody all the same');
  ok((await retried(left)) === of(left)[0]?.ts, 'its retry gets the first answer');

  const timed_out = await post(late, WAIT_MS);
  ok(timed_out.kind === 'unknown' && timed_out.body, 'a call that times out is told so, neither success nor refusal', JSON.stringify(timed_out));
  ok(await eventually(() => of(late).length), 'its message reaches everybody all the same');
  ok((await retried(late)) === of(late)[0]?.ts, 'its retry gets the first answer');
  await sleep(2 * DELAY_MS);
  ok(of(left).length === 1 && of(late).length === 1, 'each message was shown once');
  socket.close();
  api.close();
}

await test('under strace, each fdatasync takes 1.5 s and a call 0.3 s at most', async () => {
  const port = await free_port();
  await made_beforehand(port);
  const inject = `inject=fdatasync,fsync:delay_enter=${DELAY_MS * 1000}`;
  const wrap = [...STRACE, '-o', '/dev/null', '-e', 'trace=fdatasync,fsync', '-e', inject];
  const server = new Server({ dir: data, port, wrap, env: TRACED_ENV, args: ['--config', configuration(port)] });
  try {
    await cases(await server.start({}, 60_000));
    await server.stop();
  } finally {
    await server.kill();
  }
});
rmSync(dir, { recursive: true, force: true });
finish();
