// Modules stopped and started by a reload, while everything else goes on.
import assert from 'node:assert/strict';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { call, must, request } from './lib/http.mjs';
import { Person } from './lib/people.mjs';
import { newDir, Server, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

const LIB = path.resolve(path.dirname(TAUT), '../lib');
const env = { TAUT_MODULE_DIR: newDir() };
for (const name of readdirSync(`${LIB}/taut`))
  if (name.endsWith('.so')) symlinkSync(`${LIB}/taut/${name}`, `${env.TAUT_MODULE_DIR}/${name}`);
symlinkSync(`${LIB}/testmods/faulty.so`, `${env.TAUT_MODULE_DIR}/faulty.so`);
symlinkSync(`${LIB}/badmods/live.so`, `${env.TAUT_MODULE_DIR}/live.so`);

const NEEDED = ['store_sqlite', 'directory', 'conversation', 'demo'];
const FAULTY = 'faulty: { start: ends }';
const yaml = (...modules) =>
  `server: { stop_timeout: 1s, start_timeout: 1s }\nmodules:\n${[...NEEDED, ...modules].map((m) => `  - ${m}\n`).join('')}`;

describe('a reload that stops and starts modules', { timeout: 120_000 }, () => {
  const file = writeFile(newDir(), 'taut.yaml', yaml('rtm', FAULTY));
  let server, token, channel;

  const command = (...words) => taut([...words, '-c', file, '--data', server.data, '--json'], { env });
  const reload = async (...modules) => {
    writeFileSync(file, yaml(...modules));
    return command('reload');
  };
  const applies = async (modules, applied, restart = []) =>
    assert.deepEqual((await reload(...modules)).json, { applied, restart });
  const status = async (name) => (await command('status')).json.modules.find((m) => m.name === name);
  const ask = (method, args) => call(server, method, token, args);
  const othersWork = async () => {
    const { ts } = await must(server, 'chat.postMessage', token, { channel, text: 'all is well' });
    const { messages } = await must(server, 'conversations.history', token, { channel, limit: 5 });
    assert.ok(messages.some((m) => m.ts === ts));
  };

  before(async () => {
    server = await Server.start({ env, args: ['-c', file] });
    token = server.user('ada').token;
    channel = server.channel('general');
  });

  test('stops one that is no longer listed: what it offered is not there, all else goes on', async () => {
    await must(server, 'faulty.take', token, { bytes: 1000 });
    await applies(['rtm'], ['modules.faulty (stopped)']);
    assert.match(server.log, /faulty fini: ended\n/);
    assert.deepEqual(await ask('faulty.give'), { ok: false, error: 'unknown_method', req_method: 'faulty.give' });
    assert.equal((await request(server, { method: 'GET', path: '/faulty/hold' })).status, 503);
    const { state, health, memory_bytes } = await status('faulty');
    assert.deepEqual([state, health, memory_bytes], ['stopped', 'ok', 0]);
    assert.equal((await command('status')).json.services.find((s) => s.service === 'faulty/1').state, 'down');
    const hooks = (await command('hooks', 'message.before_send')).json.hooks;
    assert.equal(hooks.find((h) => h.name === 'faulty/look').state, 'its module is not running');
    for (let i = 0; i < 6; i++) await must(server, 'chat.postMessage', token, { channel, text: 'trip' });
    assert.equal((await status('faulty')).health, 'ok', 'it is not asked');
    await othersWork();
  });

  test('starts it again with its options as they are now, as if nothing had been', async () => {
    await applies(['rtm', 'faulty: { stop: ends, memory: { soft: 3MiB } }'], ['modules.faulty (started)']);
    assert.equal((await must(server, 'faulty.take', token, { bytes: 10 })).got, true);
    const { state, soft_bytes } = await status('faulty');
    assert.deepEqual([state, soft_bytes], ['running', 3 << 20]);
    await othersWork();
  });

  test('does the same for "enabled: false", and answers what the module still held', async () => {
    const held = ask('faulty.hold');
    await sleep(100);
    await applies(['rtm', 'faulty: { enabled: false, memory: { soft: 3MiB } }'], ['modules.faulty (stopped)']);
    const answer = await held;
    assert.equal(answer.error, 'service_unavailable');
    assert.deepEqual(answer.response_metadata.messages, ['[ERROR] the module faulty was stopped']);
    await applies(['rtm', 'faulty: { enabled: false, memory: { soft: 3MiB } }'], []);
    await applies(['rtm', 'faulty: { memory: { soft: 3MiB } }'], ['modules.faulty (started)']);
    await must(server, 'faulty.give', token);
  });

  test('closes the sockets of one that has some, and lets people in again when it is back', async () => {
    const ben = await Person.connect(server, server.user('ben'));
    const closed = new Promise((resolve) => ben.rtm.once('disconnected', resolve));
    ben.rtm.autoReconnect = false;
    await applies([FAULTY], ['modules.rtm (stopped)', 'modules.faulty.memory.soft']);
    await within(closed, 10_000, 'the end of the socket');
    assert.equal((await ask('rtm.connect')).error, 'unknown_method');
    await othersWork();
    await applies(['rtm', FAULTY], ['modules.rtm (started)']);
    const eve = await Person.connect(server, server.users[2]);
    await must(server, 'chat.postMessage', token, { channel, text: 'back again' });
    await eve.sees('a message after the socket is back', (e) => e.type === 'message' && e.text === 'back again');
  });

  test('refuses to stop one that others need, with the reason, and names what was never loaded', async () => {
    writeFileSync(file, yaml('rtm', FAULTY).replace('  - conversation\n', ''));
    const { code, err } = await command('reload');
    assert.equal(code, 1);
    assert.match(err, /modules\.demo: needs service "conversation\/1", which no enabled module provides; add "- conversation" to the modules\n/);
    assert.match(err, /modules\.rtm: needs service "conversation\/1"/);
    writeFileSync(file, yaml('rtm', FAULTY).replace('- store_sqlite', '- store_sqlite: { enabled: false }'));
    assert.match((await command('reload')).err, /modules\.directory: needs service "storage\/1" of modules\.store_sqlite, which has "enabled: false"\n/);
    await applies(['rtm', FAULTY, 'live'], [], ['modules.live']);
    await othersWork();
  });

  test('says what does not start, and goes on without it', async () => {
    await applies(['rtm'], ['modules.faulty (stopped)']);
    const { code, err } = await reload('rtm', 'faulty: { start: hangs }');
    assert.equal(code, 1);
    assert.match(err, /^taut reload: not_all_applied: everything was applied but this\nmodules\.faulty: did not start within 1 s\n$/);
    assert.equal((await ask('faulty.give')).error, 'service_unavailable');
    assert.deepEqual([(await status('faulty')).state, (await status('faulty')).health], ['hung', 'down']);
    await othersWork();
    await applies(['rtm'], ['modules.faulty (stopped)']);
    await applies(['rtm', FAULTY], [], ['modules.faulty']); // what hangs is not started again
  });

  test('leaves behind a server that ends; with a failure, since something hangs', async () => {
    server.child.kill('SIGTERM');
    assert.equal((await within(server.exited, 20_000, 'the end')).code, 1);
    assert.match(server.log, /server stop: module faulty did not start within 1 s; the process ends without it\n/);
  });
});

describe('a module that hangs when a reload stops it', { timeout: 60_000 }, () => {
  test('is left as it is and named, and a signal meanwhile is not lost', async () => {
    const file = writeFile(newDir(), 'taut.yaml', yaml('rtm', 'faulty: { stop: hangs }'));
    const server = await Server.start({ env, args: ['-c', file] });
    const token = server.user('ada').token;
    writeFileSync(file, yaml('rtm'));
    const reloading = taut(['reload', '-c', file, '--data', server.data], { env });
    await sleep(300);
    assert.match((await taut(['reload', '-c', file, '--data', server.data], { env })).err, /another reload has not ended yet/);
    server.child.kill('SIGHUP');
    await must(server, 'auth.test', token);
    const { code, err } = await reloading;
    assert.equal(code, 1);
    assert.match(err, /modules\.faulty: did not stop within 1 s\n$/);
    assert.doesNotMatch(server.log, /faulty fini/);
    for (let i = 0; i < 100 && !/reload: applied: nothing; needs a restart: nothing/.test(server.log); i++) await sleep(50);
    assert.match(server.log, /reload: applied: nothing; needs a restart: nothing/);
    server.child.kill('SIGTERM');
    assert.equal((await within(server.exited, 20_000, 'the end')).code, 1);
  });

  test('does not keep the server from ending while it is waited for', async () => {
    const file = writeFile(newDir(), 'taut.yaml', yaml('rtm', 'faulty: { stop: hangs }'));
    const server = await Server.start({ env, args: ['-c', file] });
    writeFileSync(file, yaml('rtm'));
    const reloading = taut(['reload', '-c', file, '--data', server.data], { env });
    await sleep(300);
    server.child.kill('SIGTERM');
    assert.equal((await within(server.exited, 20_000, 'the end')).code, 1);
    assert.notEqual((await reloading).code, 0);
    assert.match(server.log, /server stop: module faulty did not stop within 1 s; the process ends without it\n/);
  });
});
