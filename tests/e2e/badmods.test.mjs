// Broken modules (tests/badmods): each costs its own feature only, and is named where people look.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { call, must } from './lib/http.mjs';
import { LIB, moduleDir, modulesYaml } from './lib/modules.mjs';
import { newDir, Server, sleep, taut, within, writeFile } from './lib/server.mjs';

const FAULT = 'this is a fault of the module';

describe('a directory full of broken modules', { timeout: 120_000 }, () => {
  test('keeps no server from running, and each of them is named with its reason', async () => {
    const dir = moduleDir('badmods/');
    writeFileSync(path.join(dir, 'text.so'), 'this is long enough to be a head of a file, but is none of a shared object\n');
    copyFileSync(path.join(LIB, 'taut/rtm.so'), path.join(dir, 'cut.so'));
    truncateSync(path.join(dir, 'cut.so'), 3000);
    symlinkSync('/nowhere/at/all.so', path.join(dir, 'dangling.so'));
    const env = { TAUT_MODULE_DIR: dir };
    const listed = await taut(['module', 'list', '--json'], { env });
    assert.equal(listed.code, 0);
    for (const line of [
      'no_symbol.so: is not a Taut module: it has no symbol "taut_module"',
      'too_new.so: needs module ABI 1.7, this server offers 1.0; rebuild the module or upgrade the server',
      `method_no_run.so: method "a.b" has no function; ${FAULT}`,
      `table_no_key.so: table "t" has 1 columns, but a key of 2; ${FAULT}`,
      'cut.so: is cut off (3000 bytes); install it again',
      'dangling.so: cannot be loaded: cannot open shared object file: No such file or directory',
    ])
      assert.ok(listed.err.includes(line), `${line}\nin\n${listed.err}`);
    assert.match(listed.err, /text\.so: cannot be loaded: .*/);
    const names = listed.json.modules.map((m) => m.name);
    assert.ok(names.includes('conversation') && !names.includes('method_no_run'), names.join());
    const server = await Server.start({ env, args: ['-c', writeFile(newDir(), 'taut.yaml', modulesYaml())] });
    await must(server, 'chat.postMessage', server.user('ada').token, { channel: server.channel('general'), text: 'hi' });
    await server.stop();
  });
});

describe('a configuration that lists a broken module', { timeout: 120_000 }, () => {
  const yaml = modulesYaml('method_no_run', 'sample: { sync: ful }');
  const errors = [
    `taut.yaml:7:5: modules: method_no_run.so: method "a.b" has no function; ${FAULT}`,
    'taut.yaml:8:21: modules.sample.sync: "ful" is not one of off, normal, full; did you mean "full"?',
  ];
  const env = { TAUT_MODULE_DIR: moduleDir('badmods/') };

  test('is refused as a whole, with all that is wrong', async () => {
    const file = writeFile(newDir(), 'taut.yaml', yaml);
    const { code, err } = await taut(['check', '-c', file], { env });
    assert.equal(code, 1);
    for (const line of errors) assert.ok(err.includes(line), err);
  });

  test('changes nothing in a server that is told to reload it', async () => {
    const file = writeFile(newDir(), 'taut.yaml', modulesYaml());
    const server = await Server.start({ env, args: ['-c', file] });
    writeFileSync(file, yaml);
    const { code, err, out } = await taut(['reload', '-c', file, '--data', server.data], { env });
    assert.notEqual(code, 0);
    for (const line of errors) assert.ok((err + out).includes(line), err + out);
    assert.ok((await call(server, 'auth.test', server.user('ada').token)).ok);
    await server.stop();
  });
});

describe('a module that stumbles', { timeout: 120_000, concurrency: 2 }, () => {
  const start = (where) =>
    Server.start({
      env: { TAUT_MODULE_DIR: moduleDir('badmods/stumbler') },
      args: ['-c', writeFile(newDir(), 'taut.yaml', modulesYaml(`stumbler: { where: ${where} }`))],
    });
  const logged = async (server, pattern) => {
    for (let i = 0; i < 100 && !pattern.test(server.log); i++) await sleep(20);
    assert.match(server.log, pattern);
  };
  const worksWithout = async (server) => {
    const token = server.user('ada').token;
    const body = await call(server, 'stumbler.state', token);
    assert.equal(body.error, 'service_unavailable');
    assert.deepEqual(body.response_metadata.messages, ['[ERROR] the module stumbler is not running']);
    await must(server, 'chat.postMessage', token, { channel: server.channel('general'), text: 'hi' });
    const status = (await taut(['status', '--data', server.data, '--json'], { env: server.env })).json;
    assert.equal(status.modules.find((m) => m.name === 'stumbler').state, 'failed');
  };

  for (const [where, why] of [
    ['init_fails', 'init failed: unavailable'],
    ['init_registers', 'init failed: out of memory'],
    ['start_fails', 'start failed: input/output error'],
  ])
    test(`(${where}) costs its own feature only`, async () => {
      const server = await start(where);
      await worksWithout(server);
      await logged(server, new RegExp(`stumbler not_started: ${why}; the server goes on without it`));
      assert.doesNotMatch(server.log, /ticked/);
      await server.stop();
    });

  test('in its init so hard that the process ends is named in the crash report', async () => {
    const dir = newDir();
    const config = writeFile(dir, 'taut.yaml', `server: { data: data, listen: 127.0.0.1:0 }\n${modulesYaml('stumbler: { where: init_crashes }')}`);
    const { code, err } = await taut(['serve', '-c', config], { env: { TAUT_MODULE_DIR: moduleDir('badmods/stumbler') } });
    assert.notEqual(code, 0);
    const file = readdirSync(path.join(dir, 'data')).find((f) => f.startsWith('crash-'));
    assert.ok(file, err);
    assert.match(readFileSync(path.join(dir, 'data', file), 'utf8'), /running in this thread: init of stumbler/);
  });

  test('in its stop keeps nobody from ending, and is named', async () => {
    const server = await start('stop_never');
    assert.ok((await call(server, 'stumbler.state')).ok);
    server.child.kill('SIGTERM');
    await within(server.exited, 20_000, 'the end');
    assert.match(server.log, /stumbler stop_timeout: did not stop within 10 s; it is left as it is/);
    await server.up();
    assert.ok((await call(server, 'auth.test', server.user('ada').token)).ok);
    await server.kill();
  });

  test('in its fini is named for what it leaves behind', async () => {
    const server = await start('fini_leaves');
    await server.stop();
    assert.match(server.log, /stumbler left_behind: ended, and left \d+ bytes of memory behind \(1 blocks\)/);
  });
});
