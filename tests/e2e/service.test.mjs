// Taut as a service: what it tells its manager, what the manager sees when the hub hangs, and the unit file.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';

import { must, request } from './lib/http.mjs';
import { PYTHON } from './lib/metrics.mjs';
import { newDir, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

const BADMODS = path.resolve(path.dirname(TAUT), '../lib/badmods');
const UNIT = path.resolve(path.dirname(TAUT), '../taut.service');
const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

// The manager's end of NOTIFY_SOCKET: what was told, and when by its clock.
class Manager {
  static async start(dir) {
    const manager = new Manager();
    manager.socket = path.join(dir, 'notify');
    manager.heard = [];
    manager.child = spawn(PYTHON, [path.join(HERE, 'lib/manager.py'), manager.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const listens = new Promise((resolve) =>
      createInterface(manager.child.stdout).on('line', (line) => {
        const { at, text } = JSON.parse(line);
        if (text) manager.heard.push({ at, text, fields: Object.fromEntries(text.split('\n').map((l) => l.split(/=(.*)/s))) });
        else resolve();
      }),
    );
    await within(listens, 10_000, 'the manager');
    return manager;
  }

  // The first message from number `from` on that has this field.
  async hears(field, { from = 0, ms = 20_000 } = {}) {
    for (let i = 0; i < ms / 20; i++) {
      const found = this.heard.slice(from).find((m) => field in m.fields);
      if (found) return found;
      await sleep(20);
    }
    throw new Error(`no ${field} in ${JSON.stringify(this.heard.slice(from).map((m) => m.text))}`);
  }

  count(field) {
    return this.heard.filter((m) => field in m.fields).length;
  }

  stop() {
    this.child.kill();
  }
}

// `taut serve` with crasher.c, which lets the hub hang, under a manager that wants a sign of life.
async function service() {
  const dir = newDir();
  const manager = await Manager.start(dir);
  const config = writeFile(dir, 'taut.yaml', 'server: { data: data, listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }\nmodules: [crasher]\n');
  const env = { ...process.env, TAUT_MODULE_DIR: BADMODS, NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '4000000' };
  const child = spawn(TAUT, ['serve', '-c', config], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  process.on('exit', () => [child, manager.child].forEach((c) => c.kill('SIGKILL'))); // when the test fails
  const s = { dir, manager, config, child, log: '' };
  child.stderr.on('data', (d) => (s.log += d));
  s.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  await manager.hears('READY');
  for (let i = 0; i < 200 && !/ready: /.test(s.log); i++) await sleep(20);
  [, s.url, s.admin] = s.log.match(/(http:\/\/[\d.:]+), admin (http:\/\/[\d.:]+)/);
  return s;
}

const get = (url, p) => request({ url }, { method: 'GET', path: p });

describe('a service manager', { timeout: 120_000 }, () => {
  test('hears that the server is ready, lives, reloads, and stops', async () => {
    const s = await service();
    const { manager } = s;
    const ready = await manager.hears('READY');
    assert.equal(ready.fields.READY, '1');
    assert.equal(Number(ready.fields.MAINPID), s.child.pid);
    assert.equal(ready.fields.STATUS, `${s.url}, 1 modules`);
    await manager.hears('WATCHDOG', { ms: 5000 });

    let from = manager.heard.length;
    const reload = async (how, expected) => {
      from = manager.heard.length;
      const said = s.log.length;
      await how();
      const began = await manager.hears('RELOADING', { from });
      assert.equal(began.fields.RELOADING, '1');
      const clock = Number(began.fields.MONOTONIC_USEC);
      assert.ok(clock <= began.at && began.at - clock < 5e6, `${clock} was told at ${began.at}`);
      const done = await manager.hears('READY', { from });
      assert.ok(done.at >= began.at);
      for (let i = 0; i < 250 && !expected.test(s.log.slice(said)); i++) await sleep(20); // the log has a thread of its own
      assert.match(s.log.slice(said), expected);
    };
    await reload(async () => assert.equal((await taut(['reload', '-c', s.config])).code, 0), /reload: applied: nothing/);
    await reload(async () => s.child.kill('SIGHUP'), /reload: applied: nothing/);
    writeFileSync(s.config, 'server: { no_such_option: 1 }\nmodules: [crasher]\n');
    await reload(async () => assert.equal((await taut(['reload', '--data', path.join(s.dir, 'data')])).code, 1), /reload: nothing was changed/);

    from = manager.heard.length;
    s.child.kill('SIGTERM');
    const stopping = await manager.hears('STOPPING', { from });
    assert.deepEqual([stopping.fields.STOPPING, stopping.fields.STATUS], ['1', 'stopping']);
    assert.deepEqual(await within(s.exited, 30_000, 'the end'), { code: 0, signal: null });
    manager.stop();
  });

  test('hears nothing while the hub hangs; /healthz and /readyz say so, and that it turns again', async () => {
    const s = await service();
    const { manager } = s;
    await manager.hears('WATCHDOG', { ms: 5000 });
    assert.equal((await get(s.url, '/healthz')).status, 200);
    await must({ url: s.url }, 'crash.hang');
    await sleep(1500);
    const fed = manager.count('WATCHDOG');
    let page = { status: 200 };
    const began = Date.now();
    for (; page.status === 200 && Date.now() - began < 13_000; await sleep(200)) page = await get(s.admin, '/healthz');
    assert.equal(page.status, 503);
    assert.equal(page.json.live, false);
    assert.equal(page.json.reasons.length, 1);
    assert.deepEqual({ ...page.json.reasons[0], text: '' }, { module: 'hub', level: 'down', code: 'stuck', text: '' });
    assert.match(page.json.reasons[0].text, /^its loop has not turned for 1\d s$/);
    assert.equal((await get(s.url, '/readyz')).status, 503);
    assert.equal((await get(s.url, '/healthz')).text, 'unavailable\n');
    assert.equal(manager.count('WATCHDOG'), fed);
    for (let i = 0; i < 50 && page.status !== 200; i++, await sleep(200)) page = await get(s.admin, '/healthz');
    assert.equal(page.status, 200);
    await manager.hears('WATCHDOG', { from: manager.heard.length });
    s.child.kill('SIGTERM');
    assert.deepEqual(await within(s.exited, 30_000, 'the end'), { code: 0, signal: null });
    manager.stop();
  });
});

// [section, key, value] of each line.
function unit() {
  let section;
  const list = [];
  for (const line of readFileSync(UNIT, 'utf8').split('\n')) {
    if (/^\[\w+\]$/.test(line)) section = line.slice(1, -1);
    else if (line && !line.startsWith('#')) list.push([section, ...line.match(/^(\w+)=(.*)$/).slice(1)]);
  }
  return list;
}

describe('the unit file', () => {
  const value = (key) => unit().filter(([, k]) => k === key).map(([, , v]) => v);

  test('starts and reloads the program that is installed, with one configuration', async () => {
    const [start] = value('ExecStart');
    const [reload] = value('ExecReload');
    const program = start.split(' ')[0];
    assert.match(program, /^\/.*\/bin\/taut$/);
    assert.equal(start, `${program} serve -c /etc/taut/taut.yaml`);
    assert.equal(reload, `${program} reload -c /etc/taut/taut.yaml`);
    for (const words of [start, reload]) assert.equal((await taut([words.split(' ')[1], '--help'])).code, 0);
    assert.match(readFileSync(path.resolve(path.dirname(UNIT), 'cmake_install.cmake'), 'utf8'), /lib\/systemd\/system" TYPE FILE FILES ".*\/taut\.service"/);
  });

  test('waits as long as the server may take, and for signs that it gives', () => {
    assert.deepEqual(value('Type'), ['notify']);
    assert.ok(Number(value('WatchdogSec')[0]) >= 3 * 10, 'a loop that hangs is known after 10 s');
    assert.ok(Number(value('TimeoutStopSec')[0]) > 15, 'it ends within 15 s, whatever hangs');
    assert.deepEqual(value('Restart'), ['on-failure']);
    assert.deepEqual(value('StateDirectory'), ['taut taut/backups']);
    assert.deepEqual(value('CapabilityBoundingSet'), ['']);
    const keys = unit().map(([section, key]) => `${section} ${key}`).filter((k) => k !== 'Service SystemCallFilter');
    assert.equal(new Set(keys).size, keys.length, 'a key that is there twice');
  });

  const analyze = '/usr/bin/systemd-analyze';
  test('is what systemd takes', () => {
    const copy = writeFile(newDir(), 'taut.service', readFileSync(UNIT, 'utf8').replaceAll(/=\/\S+\/bin\/taut /g, `=${TAUT} `));
    const verified = spawnSync(analyze, ['verify', copy], { encoding: 'utf8' });
    assert.deepEqual([verified.status, verified.stderr], [0, '']);
    const security = spawnSync(analyze, ['security', '--offline=true', '--threshold=20', copy], { encoding: 'utf8' });
    assert.equal(security.status, 0, security.stdout); // an exposure of at most 2.0 of 10
  });
});
