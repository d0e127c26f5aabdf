// What an operator sees: health, metrics, status, the log, crash reports, the service manager's socket.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { call, must, request } from './lib/http.mjs';
import { newDir, Server, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

// A sanitizer leaves signals and failed allocations to the server.
const OWN_SIGNALS = { ASAN_OPTIONS: 'handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:allocator_may_return_null=1' };

const BADMODS = path.resolve(path.dirname(TAUT), '../lib/badmods');

// `taut serve` with the module that ends the process, and what it says.
async function crasher(options = '') {
  const dir = newDir();
  const config = writeFile(dir, 'taut.yaml', `server: { data: data, listen: 127.0.0.1:0, log_file: log${options} }\nadmin: { listen: 127.0.0.1:0 }\nmodules: [crasher]\n`);
  const child = spawn(TAUT, ['serve', '-c', config], { env: { ...process.env, ...OWN_SIGNALS, TAUT_MODULE_DIR: BADMODS }, stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (d) => (err += d));
  const exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const log = () => { try { return readFileSync(path.join(dir, 'log'), 'utf8'); } catch { return ''; } };
  let ready;
  for (let i = 0; i < 300 && !ready; i++) {
    ready = log().match(/(http:\/\/[\d.:]+), admin (http:\/\/[\d.:]+)/);
    if (!ready) await sleep(50);
  }
  assert.ok(ready, `not ready: ${err}${log()}`);
  return { dir, config, child, exited, log, err: () => err, url: ready[1], admin: { url: ready[2] }, server: { url: ready[1] } };
}

async function stop(s) {
  s.child.kill('SIGTERM');
  assert.deepEqual(await within(s.exited, 30_000, 'the end'), { code: 0, signal: null }, s.err());
}

const get = (server, p) => request(server, { method: 'GET', path: p });

describe('a crash report', { timeout: 90_000 }, () => {
  const cases = [
    ['crash.method', /running in this thread: method crash\.method of crasher/],
    ['crash.timer', /running in this thread: timer of crasher/],
    ['crash.work', /thread: pool .*\nrunning in this thread: work of crasher/],
    ['crash.panic', /panic: out of memory[^]*method crash\.panic of crasher/],
  ];
  for (const [method, words] of cases)
    test(`names the callback that was running: ${method}`, async () => {
      const s = await crasher();
      call(s.server, method).catch(() => {});
      const end = await within(s.exited, 30_000, 'the crash');
      assert.notDeepEqual(end, { code: 0, signal: null });
      const files = readdirSync(path.join(s.dir, 'data')).filter((f) => f.startsWith('crash-'));
      assert.equal(files.length, 1, s.err());
      const report = readFileSync(path.join(s.dir, 'data', files[0]), 'utf8');
      assert.match(report, words);
      assert.match(report, /version: 0\.1\.0, build [0-9a-f]+/);
      assert.match(report, /modules:\n {2}crasher 0\.1\.0/);
      assert.match(s.err(), words);
    });
});

describe('health and the log', { timeout: 90_000 }, () => {
  test('a module that others need and that is down makes the server not ready, with a reason', async () => {
    const s = await crasher();
    assert.equal((await get(s.admin, '/readyz')).status, 200);
    await must(s.server, 'crash.ill');
    const { status, json } = await get(s.admin, '/readyz');
    assert.equal(status, 503);
    assert.deepEqual(json, { reasons: [{ module: 'crasher', level: 'down', code: 'ill', text: 'it said so' }], ready: false });
    const open = await get(s.server, '/readyz');
    assert.deepEqual([open.status, open.text], [503, 'unavailable\n']);
    assert.equal((await get(s.server, '/healthz')).text, 'ok\n');
    await must(s.server, 'crash.well');
    assert.equal((await get(s.server, '/readyz')).status, 200);
    await stop(s);
  });

  test('of a burst ten lines are written, and how many are missing is said without a later line', async () => {
    const s = await crasher(', log_format: json');
    await must(s.server, 'crash.burst');
    await sleep(2500);
    const lines = s.log().trim().split('\n').map((l) => JSON.parse(l)).filter((l) => l.event === 'burst');
    assert.equal(lines.length, 11);
    assert.equal(lines[0].answer, 'forty two');
    assert.equal(lines[10].text, '40 more such lines were left out');
    await stop(s);
  });

  test('the log begins a new file when the old one was moved away', async () => {
    const s = await crasher();
    renameSync(path.join(s.dir, 'log'), path.join(s.dir, 'log.1'));
    s.child.kill('SIGUSR1');
    await sleep(500);
    await must(s.server, 'crash.burst');
    await sleep(500);
    assert.match(s.log(), /crasher burst: again answer="forty two"/);
    await stop(s);
  });
});

describe('status', { timeout: 90_000 }, () => {
  test('tells what the running server is doing, and that none runs with exit code 3', async () => {
    const server = await Server.start();
    const { json, code } = await taut(['status', '--data', server.data, '--json']);
    assert.equal(code, 0);
    assert.equal(json.ready, true);
    assert.ok(json.modules.every((m) => m.state === 'running' && m.health === 'ok'));
    assert.ok(json.services.some((x) => x.service === 'storage/1'));
    assert.match((await taut(['status', '--data', server.data])).out, /^Taut 0\.1\.0 .*\nready at http/);
    await server.stop();
    const none = await taut(['status', '--data', server.data]);
    assert.equal(none.code, 3);
    assert.equal(none.err, `taut status: no server runs on the data directory ${server.data}\n`);
  });
});

test('the debug log of a server holds neither tokens nor texts of messages', { timeout: 60_000 }, async () => {
  const config = writeFile(newDir(), 'taut.yaml', 'server: { log_level: debug }\nmodules: [store_sqlite, directory, conversation, rtm, demo]\n');
  const server = await Server.start({ args: ['-c', config] });
  const ada = server.users[0];
  await must(server, 'chat.postMessage', ada.token, { channel: server.channels[0].id, text: 'planted-secret-4711' });
  await call(server, 'auth.test', 'xoxp-planted-token-4711');
  await server.stop();
  assert.doesNotMatch(server.log, /4711/);
  for (const u of server.users) assert.ok(!server.log.includes(u.token));
});
