// What a module that misbehaves (tests/testmods/faulty.c) may cost: its own feature, and what the operator is told.
import assert from 'node:assert/strict';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { call, must, request } from './lib/http.mjs';
import { newDir, Server, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

const LIB = path.resolve(path.dirname(TAUT), '../lib');
const env = { TAUT_MODULE_DIR: newDir() };
for (const name of readdirSync(`${LIB}/taut`))
  if (name.endsWith('.so')) symlinkSync(`${LIB}/taut/${name}`, `${env.TAUT_MODULE_DIR}/${name}`);
symlinkSync(`${LIB}/testmods/faulty.so`, `${env.TAUT_MODULE_DIR}/faulty.so`);

const [TIMEOUT, UNAVAILABLE] = [-6, -7];
const CALL_TIMEOUT_MS = 800;
const yaml = ({ server = '', faulty = '' } = {}) =>
  `server: { call_timeout: ${CALL_TIMEOUT_MS}ms, ${server} }\nmodules:\n` +
  `  - store_sqlite\n  - directory\n  - conversation\n  - rtm\n  - demo\n  - faulty: { ${faulty} }\n`;

class Bench {
  static async start(options) {
    const b = new Bench();
    b.file = writeFile(newDir(), 'taut.yaml', yaml(options));
    b.server = await Server.start({ env, args: ['-c', b.file] });
    b.token = b.server.user('ada').token;
    b.channel = b.server.channel('general');
    return b;
  }
  command(...words) {
    return taut([...words, '-c', this.file, '--data', this.server.data, '--json'], { env });
  }
  async status() {
    const all = (await this.command('status')).json;
    return { ...all, faulty: all.modules.find((m) => m.name === 'faulty') };
  }
  reasons(status) {
    return status.reasons.filter((r) => r.module === 'faulty').map((r) => `${r.level} ${r.code}: ${r.text}`);
  }
  call(method, args) {
    return call(this.server, method, this.token, args);
  }
  must(method, args) {
    return must(this.server, method, this.token, args);
  }
  // Everything that is not the faulty module's.
  async othersWork() {
    const { ts } = await this.must('chat.postMessage', { channel: this.channel, text: 'all is well' });
    const { messages } = await this.must('conversations.history', { channel: this.channel, limit: 5 });
    assert.ok(messages.some((m) => m.ts === ts));
  }
  async logged(pattern) {
    for (let i = 0; i < 100 && !pattern.test(this.server.log); i++) await sleep(50);
    assert.match(this.server.log, pattern);
  }
}

describe('a module that misbehaves', { timeout: 120_000 }, () => {
  let b;
  before(async () => (b = await Bench.start({ faulty: 'memory: { soft: 1MiB, hard: 2MiB }' })));
  after(() => b.server.stop());

  test('and keeps a call open has it answered in its place, with what is known: nothing', async () => {
    const began = Date.now();
    const answer = await b.call('faulty.hold', { ms: 1800 });
    assert.ok(Date.now() - began >= CALL_TIMEOUT_MS - 100 && Date.now() - began < 1800);
    assert.equal(answer.error, 'fatal_error');
    assert.deepEqual(answer.response_metadata.messages, [
      '[ERROR] the module faulty did not answer in time; it may or may not have done what was asked',
    ]);
    const status = await b.status();
    assert.equal(status.calls.overdue, 1);
    assert.equal(status.faulty.health, 'degraded');
    assert.deepEqual(b.reasons(status), ['degraded calls_overdue: 1 calls that it keeps open have passed their deadline']);
    await b.othersWork();
    await b.logged(/faulty late_answer: faulty\.hold: answered \d+ ms after its arrival; nobody waits any more/);
    const mended = await b.status();
    assert.deepEqual([mended.calls.overdue, mended.faulty.health], [0, 'ok']);
    const { text } = await request({ url: b.server.admin_url ?? `http://${mended.admin}` }, { method: 'GET', path: '/metrics' });
    assert.match(text, /^taut_calls_overdue_total 1$/m);
    assert.match(text, /^taut_calls_answered_late_total 1$/m);
  });

  test('answers a held request of HTTP with 500 when its time is up', async () => {
    const { status, text } = await request(b.server, { method: 'GET', path: '/faulty/hold' });
    assert.deepEqual([status, text], [500, 'fatal_error']);
    await b.logged(/late_answer: \/faulty\/hold: answered/);
  });

  test('and takes much memory is degraded, gets none above its limit, and is well again below', async () => {
    const take = async (bytes) => (await b.must('faulty.take', { bytes })).got;
    const shown = (status) => {
      const { memory_bytes, soft_bytes, hard_bytes, refused, health } = status.faulty;
      return { over: memory_bytes > soft_bytes, soft_bytes, hard_bytes, refused, health };
    };
    const limits = { soft_bytes: 1 << 20, hard_bytes: 2 << 20 };
    assert.equal(await take(900_000), true);
    assert.deepEqual(shown(await b.status()), { ...limits, over: false, refused: 0, health: 'ok' });
    assert.equal(await take(300_000), true);
    let status = await b.status();
    assert.deepEqual(shown(status), { ...limits, over: true, refused: 0, health: 'degraded' });
    assert.match(b.reasons(status)[0], /^degraded memory_soft: holds 12\d{5} bytes, more than its memory\.soft \(1048576\)$/);
    assert.equal(await take(1_000_000), false);
    status = await b.status();
    assert.deepEqual(shown(status), { ...limits, over: true, refused: 1, health: 'degraded' });
    assert.ok(b.reasons(status).includes('degraded memory_hard: asked for 1000000 bytes beyond its memory.hard (2097152) and did not get them'));
    await b.othersWork();
    await b.must('faulty.give');
    assert.equal((await b.status()).faulty.health, 'ok');
    assert.equal(await take(1_000_000), true);
    await b.must('faulty.give');
  });

  test('has its limits of memory changed by a reload', async () => {
    writeFileSync(b.file, yaml({ faulty: 'memory: { soft: 2MiB, hard: 3MiB }' }));
    assert.deepEqual((await b.command('reload')).json, {
      applied: ['modules.faulty.memory.soft', 'modules.faulty.memory.hard'],
      restart: [],
    });
    const { soft_bytes, hard_bytes } = (await b.status()).faulty;
    assert.deepEqual([soft_bytes, hard_bytes], [2 << 20, 3 << 20]);
    writeFileSync(b.file, yaml({ faulty: 'memory: { soft: 4MiB, hard: 3MiB }' }));
    const { err } = await b.command('reload');
    assert.match(err, /taut\.yaml:8:31: modules\.faulty\.memory\.soft: 4MiB is more than memory\.hard \(3MiB\); make it less, or raise that\n/);
    assert.equal((await b.status()).faulty.soft_bytes, 2 << 20);
  });

  test('and fails in a hook is left out after five faults, tried again, left out for longer, and asked again when it is well', async () => {
    const post = (text) => b.must('chat.postMessage', { channel: b.channel, text });
    const hook = async () => (await b.command('hooks', 'message.before_send')).json.hooks.find((h) => h.name === 'faulty/look');
    for (let i = 0; i < 5; i++) await post('trip'); // it lets pass what it cannot look at
    assert.deepEqual([(await hook()).state, (await hook()).faults, (await hook()).left_out_ms], ['left out', 5, 1000]);
    const status = await b.status();
    assert.deepEqual(b.reasons(status), [
      'degraded hook_tripped: faulty/look at message.before_send is left out for a while: what it should judge goes on without it',
    ]);
    await b.othersWork();
    assert.equal((await hook()).faults, 5, 'it was not asked');
    await b.logged(/hook_trial: faulty\/look at message\.before_send is asked again/);
    assert.equal((await hook()).state, 'on trial');
    await post('trip');
    assert.deepEqual([(await hook()).state, (await hook()).left_out_ms], ['left out', 2000]);
    for (let i = 0; i < 100 && (await hook()).state === 'left out'; i++) await sleep(50);
    await b.othersWork();
    assert.deepEqual([(await hook()).state, (await b.status()).faulty.health], ['asked', 'ok']);
  });

  test('and fails where it is asked for what it knows is passed over, and left out after five faults', async () => {
    const hooks = async () => (await b.command('hooks', 'faulty.lookup')).json.hooks.map((h) => `${h.name}: ${h.state}, ${h.faults}`);
    for (let i = 0; i < 6; i++) {
      const { status, known } = await b.must('faulty.lookup');
      assert.deepEqual([status, known], [0, 42]);
    }
    assert.deepEqual(await hooks(), ['faulty/fails: left out, 5', 'faulty/knows: asked, 0']);
    assert.deepEqual(b.reasons(await b.status()), [
      'degraded hook_tripped: faulty/fails at faulty.lookup is left out for a while: what it knows others are asked',
    ]);
  });

  test('and does not answer as a service is cut off, tried again, cut off for longer, and used again when it answers', async () => {
    const ask = async () => (await b.must('faulty.ask')).status;
    const service = async () => (await b.status()).services.find((s) => s.service === 'faulty/1');
    for (let i = 0; i < 5; i++) assert.equal(await ask(), TIMEOUT);
    await b.logged(/faulty op_timeout: an operation "ask" of faulty\/1 passed its deadline\n/);
    const { provider, state, timeouts, cut_off_ms } = await service();
    assert.deepEqual([provider, state, timeouts, cut_off_ms], ['faulty', 'cut off', 5, 1000]);
    assert.equal(await ask(), UNAVAILABLE);
    assert.ok(b.reasons(await b.status()).includes('degraded breaker_open: faulty/1 does not answer in time and is cut off for a while'));
    await b.othersWork();
    for (let i = 0; i < 100 && (await service()).state === 'cut off'; i++) await sleep(50);
    assert.equal((await service()).state, 'on trial');
    assert.equal(await ask(), TIMEOUT);
    assert.deepEqual([(await service()).state, (await service()).cut_off_ms], ['cut off', 2000]);
    await b.must('faulty.mend');
    for (let i = 0; i < 100 && (await service()).state === 'cut off'; i++) await sleep(50);
    assert.equal(await ask(), 0);
    assert.equal((await service()).state, 'up');
    assert.ok(!b.reasons(await b.status()).some((r) => r.includes('breaker_open')));
  });
});

describe('a module that does not end what it begins', { timeout: 120_000 }, () => {
  // The end of the process, the seconds that it took, and that nobody else was kept from ending well.
  const end = async (b) => {
    const began = Date.now();
    b.server.child.kill('SIGTERM');
    const { code } = await within(b.server.exited, 30_000, 'the end');
    return { code, seconds: (Date.now() - began) / 1000 };
  };

  test('in its stop is named and left as it is; the others are stopped, and the exit code says so', async () => {
    const b = await Bench.start({ server: 'stop_timeout: 1s', faulty: 'stop: hangs' });
    await b.othersWork();
    const { code, seconds } = await end(b);
    assert.equal(code, 1);
    assert.ok(seconds < 10, `${seconds} s`);
    assert.match(b.server.log, /faulty stop_timeout: did not stop within 1 s; it is left as it is\n/);
    assert.match(b.server.log, /server stop: module faulty did not stop within 1 s; the process ends without it\n/);
    assert.doesNotMatch(b.server.log, /faulty fini/);
    assert.equal(b.server.log.match(/stop_timeout|close_timeout/g).length, 1, b.server.log);
    const again = await Server.start({ env, data: b.server.data });
    await again.stop();
  });

  test('in its start is named after a while, and costs its own feature', async () => {
    const b = await Bench.start({ server: 'start_timeout: 1s', faulty: 'start: hangs' });
    assert.match(b.server.log, /faulty not_started: did not start within 1 s; the server goes on without it\n/);
    await b.othersWork();
    const answer = await b.call('faulty.give');
    assert.equal(answer.error, 'service_unavailable');
    assert.deepEqual(answer.response_metadata.messages, ['[ERROR] the module faulty is not running']);
    assert.equal((await request(b.server, { method: 'GET', path: '/faulty/hold' })).status, 503);
    const status = await b.status();
    assert.deepEqual([status.ready, status.faulty.state, status.faulty.health], [true, 'hung', 'down']);
    assert.deepEqual(b.reasons(status), ['down hung: did not start within 1 s']);
    assert.equal((await end(b)).code, 1);
    assert.match(b.server.log, /server stop: module faulty did not start within 1 s; the process ends without it\n/);
  });

  test('on a thread of the pool is named, and keeps nobody from ending', async () => {
    const b = await Bench.start();
    await b.must('faulty.work');
    await b.othersWork();
    assert.equal((await end(b)).code, 1);
    assert.match(b.server.log, /faulty fini: ended\n/);
    assert.match(b.server.log, /faulty work_hung: its work did not end within 3 s of the end; it is left as it is\n/);
  });
});
