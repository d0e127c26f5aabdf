// The configuration of a running server read again: by command and by signal, in two phases, with nobody cut off.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';

import { must, request } from './lib/http.mjs';
import { moduleDir as modulesOf, modulesYaml } from './lib/modules.mjs';
import { Person } from './lib/people.mjs';
import { newDir, Server, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

const LIB = path.resolve(path.dirname(TAUT), '../lib');

// The server's modules, and two that note what a reload asks and tells them.
function moduleDir() {
  const dir = newDir();
  for (const name of readdirSync(`${LIB}/taut`)) symlinkSync(`${LIB}/taut/${name}`, `${dir}/${name}`);
  for (const name of ['live', 'live_two']) symlinkSync(`${LIB}/badmods/${name}.so`, `${dir}/${name}.so`);
  return dir;
}

const yaml = ({ server = '', live = '', two = '', more = '' } = {}) =>
  `server: { ${server} }\nmodules:\n  - store_sqlite\n  - directory\n  - conversation\n  - rtm\n` +
  `  - live: { ${live} }\n  - live_two: { ${two} }\n${more}`;

describe('taut reload', { timeout: 120_000 }, () => {
  const env = { TAUT_MODULE_DIR: moduleDir() };
  const dir = newDir();
  const file = writeFile(dir, 'taut.yaml', yaml());
  const right = writeFile(dir, 'right.yaml', yaml()); // for commands while the server's own is wrong
  let server, ann;

  const command = (...args) => taut([...args, '-c', file, '--data', server.data, '--json'], { env });
  const write = (options) => writeFileSync(file, yaml(options));
  const reload = async (options) => {
    if (options) write(options);
    return (await command('reload')).json;
  };
  const show = async (module = 'live') =>
    (await taut([module, 'show', '-c', right, '--data', server.data, '--json'], { env })).json;
  // What is in the log after `from`, when `pattern` has come.
  const logged = async (from, pattern) => {
    for (let i = 0; i < 200 && !pattern.test(server.log.slice(from)); i++) await sleep(50);
    assert.match(server.log.slice(from), pattern);
  };
  const hangUp = () => {
    const from = server.log.length;
    server.child.kill('SIGHUP');
    return from;
  };

  before(async () => {
    server = await Server.start({ args: ['-c', file], env });
    ann = await Person.connect(server, server.users[0]);
  });
  after(() => server.stop());
  beforeEach(() => reload({}));

  test('applies what is live and names what needs a restart, each time anew', async () => {
    const changed = { server: 'max_body: 2KiB, gateways: 7', live: 'level: 2, fixed: 3, names: [x, y]' };
    assert.deepEqual(await reload(changed), {
      applied: ['server.max_body', 'modules.live.level', 'modules.live.names'],
      restart: ['server.gateways', 'modules.live.fixed'],
    });
    const { level, fixed, names, greeting } = await show();
    assert.deepEqual({ level, fixed, names, greeting }, { level: 2, fixed: 0, names: ['x', 'y'], greeting: 'hello' });
    const body = 'x'.repeat(4000);
    assert.equal((await request(server, { path: '/api/api.test', body })).status, 413);
    assert.deepEqual(await reload(changed), { applied: [], restart: ['server.gateways', 'modules.live.fixed'] });
    await reload({});
    assert.equal((await request(server, { path: '/api/api.test', body })).status, 200);
  });

  test('says the same to people, one line each', async () => {
    write({ server: 'idle_timeout: 60s, max_header: 8KiB' });
    const { out, code } = await taut(['reload', '-c', file, '--data', server.data], { env });
    assert.deepEqual([code, out], [0, 'applied: server.idle_timeout\nneeds a restart: server.max_header\n']);
    assert.equal((await taut(['reload', '-c', file, '--data', server.data], { env })).out, 'needs a restart: server.max_header\n');
    write({});
    await command('reload');
    assert.equal((await taut(['reload', '-c', file, '--data', server.data], { env })).out, 'nothing has changed\n');
  });

  test('does not wait for a pipe in the place of a file', async () => {
    const away = path.join(dir, 'away.yaml');
    renameSync(file, away);
    spawnSync('mkfifo', [file]);
    try {
      const from = hangUp();
      await logged(from, /configuration: \S+taut\.yaml: is no regular file; a server that runs reads its configuration from a file only\n/);
      assert.equal((await show()).level, 1);
    } finally {
      renameSync(away, file); // nobody would read what others write into a pipe
    }
  });

  test('names modules that came or went', async () => {
    writeFileSync(file, yaml().replace('  - live_two: {  }\n', '  - store_sqlite: { as: second, path: second.db }\n'));
    const { code, err } = await command('reload'); // two stores
    assert.equal(code, 1);
    assert.match(err, /^taut reload: invalid_configuration: nothing was changed\n.*taut\.yaml:8:5: modules\.second: provides service "storage\/1", as modules\.store_sqlite already does; remove one of them\n$/);
    writeFileSync(file, yaml().replace('  - live_two: {  }\n', ''));
    assert.deepEqual(await reload(), { applied: ['modules.live_two (stopped)'], restart: [] });
    assert.deepEqual(await reload({}), { applied: ['modules.live_two (started)'], restart: [] });
  });

  test('changes nothing when anything is wrong, and prints all of it', async () => {
    write({ server: 'max_body: 2KiB, log_level: wran', live: 'level: 2, nmaes: []' });
    const { code, err, out } = await command('reload');
    assert.deepEqual([code, out], [1, '']);
    assert.equal(
      err.replaceAll(/^\S*\/taut\.yaml/gm, 'taut.yaml'),
      'taut reload: invalid_configuration: nothing was changed\n' +
        'taut.yaml:1:38: server.log_level: "wran" is not one of debug, info, warn, error; did you mean "warn"?\n' +
        'taut.yaml:7:23: modules.live: unknown option "nmaes"; did you mean "names"?\n',
    );
    assert.equal((await show()).level, 1);
    assert.equal((await request(server, { path: '/api/api.test', body: 'x'.repeat(4000) })).status, 200);
    writeFileSync(file, 'server: [\n');
    assert.equal((await command('reload')).code, 1);
    assert.equal((await show()).level, 1);
  });

  test('changes nobody when one refuses, and can be tried again', async () => {
    const seen = async (module) => (await show(module)).seen.split(', ').slice(-2);
    write({ server: 'max_body: 2KiB', live: 'level: 5', two: 'level: 13' });
    const { code, err } = await command('reload');
    assert.equal(code, 1);
    assert.match(err, /taut\.yaml:8:24: modules\.live_two\.level: 13 brings bad luck; take another\n$/);
    assert.deepEqual([(await show()).level, (await show('live_two')).level], [1, 1]);
    assert.deepEqual(await seen('live'), ['prepare 1>5', 'cancel 1>5']);
    assert.equal((await seen('live_two')).at(-1), 'prepare 1>13');
    assert.equal((await request(server, { path: '/api/api.test', body: 'x'.repeat(4000) })).status, 200);
    const { applied } = await reload({ server: 'max_body: 2KiB', live: 'level: 5', two: 'level: 12' });
    assert.deepEqual(applied, ['server.max_body', 'modules.live.level', 'modules.live_two.level']);
    assert.deepEqual(await seen('live'), ['prepare 1>5', 'commit 1>5']);
  });

  test('cuts nobody off: sockets stay, and what is said reaches them', async () => {
    const channel = server.channel('general');
    await reload({ server: 'max_calls: 100, idle_timeout: 60s, connection_queue: 128KiB, cache: 1MiB, tail_events: 10' });
    await must(server, 'chat.postMessage', ann.token, { channel, text: 'still here' });
    await ann.sees('a message after a reload', (e) => e.type === 'message' && e.text === 'still here');
    assert.equal(ann.rtm.connected, true);
  });

  test('is what SIGHUP does, which tells the log', async () => {
    await sleep(1100); // of one event ten lines a second are logged
    write({ server: 'log_format: json', live: 'level: 3' });
    await logged(hangUp(), /"applied: server\.log_format, modules\.live\.level; needs a restart: nothing"/);
    assert.equal((await show()).level, 3);
    write({ live: 'level: x' });
    await logged(hangUp(), /taut\.yaml:7:20: modules\.live\.level: \\"x\\" is not a whole number/);
    assert.equal((await show()).level, 3);
    write({});
    await logged(hangUp(), / info +server +reload: applied: server\.log_format, modules\.live\.level; needs a restart: nothing\n/);
  });

  test('by SIGHUP tells the log all that is wrong, however much it is', async () => {
    writeFileSync(file, `${yaml()}${Array.from({ length: 30 }, (_, i) => `wrong${i}: 1\n`).join('')}`);
    const from = hangUp();
    await logged(from, /nothing was changed: the configuration has errors\n/);
    assert.deepEqual(
      [...server.log.slice(from).matchAll(/error server\s+configuration: \S+: unknown section "(wrong\d+)"/g)].map((m) => m[1]),
      Array.from({ length: 30 }, (_, i) => `wrong${i}`),
    );
    writeFileSync(file, `${yaml()}${Array.from({ length: 130 }, (_, i) => `wrong${i}: 1\n`).join('')}`);
    const many = hangUp();
    await logged(many, /error server\s+configuration_more: 30 more; taut check shows all\n/);
    assert.equal(server.log.slice(many).match(/ configuration: /g).length, 100);
    write({});
    await logged(hangUp(), /reload: applied: nothing/);
  });

  test('begins a new log file after the old one was moved away', async () => {
    const log = path.join(dir, 'taut.log');
    const own = writeFile(newDir(), 'taut.yaml', yaml({ server: `log_file: ${log}` }));
    const other = await Server.start({ args: ['-c', own], env });
    renameSync(log, `${log}.1`);
    other.child.kill('SIGHUP');
    for (let i = 0; i < 200 && !readdirSync(dir).includes('taut.log'); i++) await sleep(50);
    assert.ok(readdirSync(dir).includes('taut.log'));
    await other.stop();
  });

  test('is not what SIGHUP does to a server that is ending; neither it nor SIGUSR1 cuts that short', async () => {
    const own = writeFile(newDir(), 'taut.yaml', `server: { stop_timeout: 2s }\n${modulesYaml('stumbler: { where: stop_never }')}`);
    const other = await Server.start({ args: ['-c', own], env: { TAUT_MODULE_DIR: modulesOf('badmods/stumbler') } });
    other.child.kill('SIGTERM');
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGHUP']) {
      await sleep(300);
      assert.equal(other.child.exitCode ?? other.child.signalCode, null, 'it waits for the module');
      other.child.kill(signal);
    }
    assert.deepEqual(await within(other.exited, 30_000, 'the end'), { code: 1, signal: null }, other.log.slice(-2000));
    assert.match(other.log, /stumbler stop_timeout: did not stop within 2 s/);
  });

  test('finds no server where none runs', async () => {
    const { code, err } = await taut(['reload', '--data', path.join(dir, 'none')], { env });
    assert.notEqual(code, 0);
    assert.match(err, /^taut reload: no server runs on the data directory \S+\/none, which does not exist\n$/);
  });
});
