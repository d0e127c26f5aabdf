// What an operator sees: health, status, the log, crash reports, warnings at the start.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { call, must, request } from './lib/http.mjs';
import { metrics } from './lib/metrics.mjs';
import { newDir, Server, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

// A sanitizer leaves signals and failed allocations to the server.
const OWN_SIGNALS = { ASAN_OPTIONS: 'handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:allocator_may_return_null=1' };

const BADMODS = path.resolve(path.dirname(TAUT), '../lib/badmods');

// `taut serve` with these modules, and what it says. Modules: by default the one that ends the process.
async function crasher(options = '', { modules = 'crasher', dir = newDir(), cwd = process.cwd() } = {}) {
  const config = writeFile(dir, 'taut.yaml', `server: { data: data, listen: 127.0.0.1:0, log_file: log${options} }\nadmin: { listen: 127.0.0.1:0 }\nmodules: [${modules}]\n`);
  const env = { ...process.env, ...OWN_SIGNALS, ...(modules === 'crasher' ? { TAUT_MODULE_DIR: BADMODS } : {}) };
  const child = spawn(TAUT, ['serve', '-c', config], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  process.on('exit', () => child.kill('SIGKILL')); // when the test fails
  let err = '';
  child.stderr.on('data', (d) => (err += d));
  const exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const log = () => { try { return readFileSync(path.join(dir, 'log'), 'utf8'); } catch { return ''; } };
  const before = log().length; // of an earlier run
  let ready;
  for (let i = 0; i < 300 && !ready; i++) {
    ready = log().slice(before).match(/(http:\/\/[\d.:]+), admin (http:\/\/[\d.:]+)/);
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

  test('is written for a signal from outside too, and the next start and `taut status` tell of it', async () => {
    const modules = 'store_sqlite, directory, conversation';
    let s = await crasher('', { modules });
    s.child.kill('SIGSEGV');
    assert.deepEqual(await within(s.exited, 30_000, 'the crash'), { code: null, signal: 'SIGSEGV' });
    const [file] = readdirSync(path.join(s.dir, 'data')).filter((f) => f.startsWith('crash-'));
    assert.match(file, /^crash-\d{8}T\d{6}Z\.txt$/);
    const report = readFileSync(path.join(s.dir, 'data', file), 'utf8');
    assert.match(report, /taut: crash: SIGSEGV sent by process \d+\nversion: 0\.1\.0, build [0-9a-f]+\ntime: /);
    assert.match(report, /running in this thread: no callback of a module\nrunning in the hub: no callback of a module\n/);
    for (const m of modules.split(', ')) assert.match(report, new RegExp(`\n  ${m} 0\\.1\\.0 \\(${m} \\S*taut\\.yaml:3:\\d+\\)\n`));
    assert.match(report, /backtrace:\n(\S+\(.*\n)*\S+\/taut\(/);
    s = await crasher('', { modules, dir: s.dir });
    assert.match(s.log(), new RegExp(`warn  server crash_report: an earlier run crashed: \\S+/${file} says where \\(reports: 1\\)`));
    const { json } = await taut(['status', '-c', s.config, '--json']);
    assert.deepEqual([json.crash_reports, json.newest_crash_report], [1, file]);
    await stop(s);
  });

  test('names the callback in which the hub hangs when the manager ends it', async () => {
    const s = await crasher();
    await must(s.server, 'crash.hang');
    await sleep(300);
    s.child.kill('SIGABRT'); // as systemd does when no sign of life comes
    await within(s.exited, 30_000, 'the crash');
    assert.match(s.err(), /crash: SIGABRT sent by process \d+\n[^]*running in the hub: timer of crasher\n/);
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

  test('the log begins a new file when the old one was moved away, and no line is lost', async () => {
    const s = await crasher(', log_level: debug');
    const files = [];
    const ROUNDS = 12;
    for (let i = 0; i < ROUNDS; i++) {
      const lines = must(s.server, 'crash.lines');
      if (i % 2) {
        files.push(path.join(s.dir, `log.${i}`));
        renameSync(path.join(s.dir, 'log'), files.at(-1));
        s.child.kill(i % 4 === 1 ? 'SIGUSR1' : 'SIGHUP');
        for (let k = 0; k < 200 && !s.log(); k++) await sleep(10);
      }
      await lines;
    }
    await stop(s);
    const all = [...files.map((f) => readFileSync(f, 'utf8')), s.log()].join('');
    for (let i = 0; i < 500; i += 71) assert.equal(all.split(` debug crasher numbered: line ${i};\n`).length - 1, ROUNDS, `line ${i}`);
    assert.equal(all.match(/ debug crasher numbered: line \d+;\n/g).length, ROUNDS * 500);
  });

  test('a log that cannot be begun anew goes on where it was, and says so to all who may look', async () => {
    const s = await crasher('');
    renameSync(path.join(s.dir, 'log'), path.join(s.dir, 'log.old'));
    mkdirSync(path.join(s.dir, 'log'));
    const text = /the log \S+\/log cannot be opened anew: Is a directory; it goes on in the file that it had\n/;
    s.child.kill('SIGUSR1');
    for (let i = 0; i < 100 && !text.test(s.err()); i++) await sleep(50);
    assert.match(s.err(), text);
    assert.match(readFileSync(path.join(s.dir, 'log.old'), 'utf8'), text);
    const reload = await taut(['reload', '-c', s.config], { env: { TAUT_MODULE_DIR: BADMODS } });
    assert.equal(reload.code, 0, reload.err);
    assert.match(reload.out, /^warning: the log \S+\/log cannot be opened anew: Is a directory/m);
    await stop(s);
  });

  test('a log on a disk that is full costs lines, and nothing else', async () => {
    const config = writeFile(newDir(), 'taut.yaml', 'server: { log_file: /dev/full, log_level: debug }\nmodules: [store_sqlite, directory, conversation, rtm, demo]\n');
    const server = await Server.start({ args: ['-c', config, '--admin-listen', '127.0.0.1:0'] });
    const ada = server.users[0];
    const channel = server.channel('general');
    for (let i = 0; i < 20; i++) await must(server, 'chat.postMessage', ada.token, { channel, text: `number ${i}` });
    assert.equal((await get(server, '/readyz')).status, 200);
    let dropped = 0;
    for (let i = 0; i < 20 && !dropped; i++, await sleep(200)) dropped = (await metrics({ url: server.admin_url })).value('taut_log_dropped_total');
    assert.ok(dropped > 0);
    const status = await taut(['status', '--data', server.data, '--json']);
    assert.equal(status.json.ready, true);
    await server.stop();
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

describe('the start', { timeout: 90_000 }, () => {
  test('warns of a data directory in ./var when another one is used', async () => {
    const cwd = newDir();
    mkdirSync(path.join(cwd, 'var'));
    writeFileSync(path.join(cwd, 'var', 'lock'), '');
    const s = await crasher('', { cwd });
    const used = path.join(s.dir, 'data');
    assert.ok(
      s.log().includes(` warn  server other_data: there is a data directory in ${cwd}/var, but the one that is used is ${used} (a relative server.data is below the configuration's folder)\n`),
      s.log(),
    );
    await stop(s);
    const quiet = await crasher('', { cwd: newDir() });
    assert.doesNotMatch(quiet.log(), /other_data/);
    await stop(quiet);
  });

  test('says how a workspace is made when there is none, and not when the command makes one', async () => {
    const empty = await crasher('', { modules: 'store_sqlite, directory' });
    const demo = await Server.start();
    const advice = /directory empty: there is no workspace yet; make one: taut workspace create --name "Our team" --domain our --owner ada/;
    for (let i = 0; i < 100 && !advice.test(empty.log()); i++) await sleep(100);
    assert.match(empty.log(), advice);
    assert.doesNotMatch(demo.log, /no workspace yet/);
    await demo.stop();
    await stop(empty);
  });
});
