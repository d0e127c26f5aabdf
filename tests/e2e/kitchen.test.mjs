// What a module may do beside answering (tests/testmods/kitchen): filters, observers, waits, services, the log.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { call, must } from './lib/http.mjs';
import { metrics } from './lib/metrics.mjs';
import { moduleDir, modulesYaml } from './lib/modules.mjs';
import { newDir, Server, sleep, taut, writeFile } from './lib/server.mjs';

const modules = () => ({ TAUT_MODULE_DIR: moduleDir('testmods/kitchen') });

describe('a module with filters, observers and a cursor', { timeout: 120_000 }, () => {
  let server, token, channel;
  before(async () => {
    server = await Server.start({ env: modules() });
    token = server.user('ada').token;
    channel = server.channel('general');
  });
  after(() => server.stop());

  const post = (text) => call(server, 'chat.postMessage', token, { channel, text });
  const state = () => must(server, 'kitchen.state', token);
  const until = async (is, what) => {
    for (let i = 0; i < 100; i++) {
      if (is(await state())) return;
      await sleep(50);
    }
    assert.fail(`${what}: ${JSON.stringify(await state())}`);
  };

  test('changes a message, refuses one with its own words, and is told of those that are on disk', async () => {
    const before = await state();
    const posted = await post('shout');
    assert.equal(posted.message.text, 'HO');
    assert.equal(posted.warning, undefined, 'shorter, but not cut');
    const edited = await must(server, 'chat.update', token, { channel, ts: posted.ts, text: 'shout' });
    assert.deepEqual([edited.text, edited.message.text], ['HO', 'HO']);
    assert.equal((await call(server, 'chat.update', token, { channel, ts: posted.ts, text: 'forbidden' })).error, 'restricted_action');
    const refused = await post('forbidden');
    assert.equal(refused.error, 'restricted_action');
    assert.deepEqual(refused.response_metadata.messages, ['[ERROR] that word is forbidden here']);
    await until((s) => s.sent === before.sent + 1, 'one observed');
  });

  test('holds up a message for a while, and later ones of its sender stay behind it', async () => {
    const [slow, quick] = await Promise.all([post('slow'), sleep(20).then(() => post('quick'))]);
    assert.ok(slow.ok && quick.ok, JSON.stringify([slow, quick]));
    assert.ok(Number(quick.ts) > Number(slow.ts));
  });

  test('that is at fault refuses what it should judge, is left out after five faults, and comes back', async () => {
    for (let i = 0; i < 5; i++) {
      const body = await post('broken');
      assert.equal(body.error, 'service_unavailable');
      assert.match(body.response_metadata.messages[0], /the rule "kitchen\/taste" cannot be asked at the moment; try again later/);
    }
    assert.equal((await post('sound')).error, 'service_unavailable');
    const hooks = (await taut(['hooks', 'message.before_send', '--data', server.data, '--json'], { env: server.env })).json.hooks;
    assert.equal(hooks[0].state, 'left out');
    assert.equal(hooks[0].because, 'stage policy, start of kitchen');
    await sleep(1200);
    assert.ok((await post('sound')).ok);
  });

  test('waits in a handler, and changes its own state once', async () => {
    const { awaited } = await state();
    await must(server, 'kitchen.await', token);
    assert.equal((await state()).awaited, awaited + 1);
  });

  test('is cut off from a service that does not answer, and from one that nobody provides', async () => {
    const [TIMEOUT, UNAVAILABLE] = [-6, -7];
    assert.equal((await must(server, 'kitchen.nobody', token)).status, UNAVAILABLE);
    assert.equal((await state()).nobody_up, false);
    for (let i = 0; i < 5; i++) assert.equal((await must(server, 'kitchen.slow', token)).status, TIMEOUT);
    assert.equal((await state()).slow_up, false);
    assert.equal((await must(server, 'kitchen.slow', token)).status, UNAVAILABLE);
    await sleep(1200);
    assert.equal((await state()).slow_up, true);
  });

  test('reads the whole log in order, and after a restart goes on where it was', async () => {
    for (let i = 0; i < 10; i++) await post(`n${i}`);
    await until((s) => s.logged === s.last_seq && s.logged > 10, 'all of the log');
    const { last_seq } = await state();
    await server.restart();
    token = server.user('ada').token;
    await post('after');
    await until((s) => s.last_seq === last_seq + 1, 'what came after');
    assert.equal((await state()).logged, 1);
    assert.doesNotMatch(server.log, /kitchen hole/);
  });
});

describe('a module that fails', { timeout: 120_000 }, () => {
  for (const where of ['init', 'start'])
    test(`in its ${where} costs its own feature only`, async () => {
      const config = writeFile(newDir(), 'taut.yaml',
        modulesYaml(`kitchen: { fails: ${where} }`));
      const server = await Server.start({ env: modules(), args: ['-c', config] });
      const token = server.user('ada').token;
      const channel = server.channel('general');
      const body = await call(server, 'kitchen.state', token);
      assert.equal(body.error, 'service_unavailable');
      assert.deepEqual(body.response_metadata.messages, ['[ERROR] the module kitchen is not running']);
      const post = await call(server, 'chat.postMessage', token, { channel, text: 'hi' });
      assert.equal(post.error, 'service_unavailable'); // its filter fails closed
      assert.ok((await call(server, 'conversations.history', token, { channel })).ok);
      assert.match(server.log, new RegExp(`kitchen not_started: ${where} failed: .*; the server goes on without it`));
      const status = (await taut(['status', '--data', server.data, '--json'], { env: server.env })).json;
      assert.equal(status.modules.find((m) => m.name === 'kitchen').state, 'failed');
      writeFileSync(config, modulesYaml('kitchen: { fails: never }')); // what was wrong is mended
      const reload = await taut(['reload', '-c', config, '--data', server.data], { env: server.env });
      assert.deepEqual([reload.code, reload.out], [0, 'applied: modules.kitchen (started)\n'], reload.err);
      assert.ok((await call(server, 'chat.postMessage', token, { channel, text: 'hi' })).ok);
      await server.stop();
    });
});

describe('a reader of the log', { timeout: 60_000 }, () => {
  const start = async (log) => {
    const config = writeFile(newDir(), 'taut.yaml',
      modulesYaml(`kitchen: { log: ${log} }`));
    const server = await Server.start({ env: modules(), args: ['-c', config] });
    await must(server, 'chat.postMessage', server.user('ada').token, { channel: server.channel('general'), text: 'hi' });
    return server;
  };

  test('that fails gets the same events again, and holds up nobody, not the end either', async () => {
    const server = await start('fails');
    for (let i = 0; i < 100 && !/they come again/.test(server.log); i++) await sleep(20);
    assert.match(server.log, /kitchen subscriber_failed: kitchen: events 1 to \d+ of T\w+: .*; they come again/);
    const { json } = await taut(['status', '--data', server.data, '--json']);
    const reader = json.readers.find((r) => r.name === 'kitchen');
    assert.match(reader.workspace, /^T/);
    assert.ok(reader.behind >= 1 && reader.failures >= 1, JSON.stringify(reader));
    assert.ok(Math.abs(Date.now() - Date.parse(reader.since)) < 30_000, reader.since);
    assert.match((await taut(['status', '--data', server.data])).out, /\nreaders\n +MODULE +NAME +WORKSPACE +BEHIND +SINCE +FAILURES\n[^]*^ +kitchen +kitchen +T\w+ +\d+ +20\S+ +\d+$/im);
    const seen = await metrics({ url: server.admin_url });
    assert.ok(seen.value('taut_module_events_behind', { module: 'kitchen' }) >= 1);
    await server.stop();
  });

  test('that never says that it is done holds up nobody, not the end either', async () => {
    const server = await start('held');
    await sleep(200);
    await server.stop();
  });
});
