// The kitchen sink (tests/testmods/kitchen): every public call of include/taut, each seen from outside. The last test
// reads the list of what there is from the headers, and what was run from the module's own counters.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { publicCalls } from '../abi/public_calls.mjs';
import { bearer, call, must, request } from './lib/http.mjs';
import { counted } from './lib/counted.mjs';
import { LIB, moduleDir, modulesYaml } from './lib/modules.mjs';
import { newDir, Server, sleep, taut, writeFile } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

const TOP = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const COUNTED = existsSync(path.join(LIB, 'counted/kitchen.so')); // gcc only
const MODULE = COUNTED ? 'counted/kitchen' : 'testmods/kitchen';
const counters = newDir();
const env = (...modules) => ({ TAUT_MODULE_DIR: moduleDir(...modules), GCOV_PREFIX: counters });
const [IO, UNAVAILABLE, NOTFOUND, TIMEOUT, INVAL, EXISTS] = [-14, -7, -11, -6, -4, -12];

const answered = ({ ok, warning, warnings, response_metadata, ...rest }) => rest; // without the envelope

describe('the kitchen sink', { timeout: 120_000 }, () => {
  const file = writeFile(newDir(), 'taut.yaml', modulesYaml('kitchen'));
  let server, ada, channel;
  before(async () => {
    server = await Server.start({ env: env(MODULE), args: ['-c', file] });
    ada = server.user('ada');
    channel = server.channel('general');
  });
  after(() => server.stop());

  const kitchen = (method, args) => call(server, `kitchen.${method}`, ada.token, args);
  const cook = async (method, args) => answered(await must(server, `kitchen.${method}`, ada.token, args));
  const until = async (is, what) => {
    for (let i = 0; i < 100; i++) {
      if (is(await cook('state'))) return;
      await sleep(30);
    }
    assert.fail(`${what}: ${JSON.stringify(await cook('state'))}`);
  };
  const logged = async (pattern) => {
    for (let i = 0; i < 100 && !pattern.test(server.log); i++) await sleep(20);
    assert.match(server.log, pattern);
  };
  const command = async (...args) => (await taut([...args, '-c', file, '--data', server.data, '--json'], { env: server.env })).json;
  const page = async (path_) => (await request({ url: server.admin_url }, { method: 'GET', path: path_ })).text;

  test('memory, chance, strings, clocks, logs and metrics are what they should be', async () => {
    assert.deepEqual(await cook('base'), {
      memory: true, chance: true, strings: true, clocks: true, stamps: true, reach: true, built_with_1: true, url: server.url.replace(/\/$/, ''),
    });
    await logged(/warn {2}kitchen base: 3 pots/);
    await logged(/warn {2}kitchen spiced: with fields.*salt.*5/);
    const metrics = await page('/metrics');
    assert.match(metrics, /^taut_mod_kitchen_dishes_total\{course="first"\} 2$/m);
    assert.match(metrics, /^taut_mod_kitchen_dishes_total\{course="main"\} 5$/m);
    assert.match(metrics, /^taut_mod_kitchen_temperature 180$/m);
    assert.match(metrics, /^taut_mod_kitchen_cooking_seconds_sum 1\.5$/m);
  });

  test('health is reported and taken back', async () => {
    await cook('health', { i: 2, s: 'the oven is cold' });
    assert.match(await page('/readyz'), /the oven is cold/);
    await cook('health', {});
    assert.doesNotMatch(await page('/readyz'), /the oven is cold/);
  });

  test('arguments come typed, and everything that JSON has is written', async () => {
    const body = await kitchen('json', { s: 'soup', i: '7', b: 'true', l: ['a', 'b'], j: '{ "k" : [1] }' });
    assert.deepEqual(answered(body), {
      s: 'soup', i: 7, b: true, b_given: true, l: 'a,b', j: { k: [1] },
      all: ['"quoted"\n\r\t\\\u0001', Number.MIN_SAFE_INTEGER < 0 ? -9223372036854775808 : 0, true, false, null, { ready: 1.5 }, { inner: 1000 }, 'last'],
      scratch: { short: '3 pots and a pan', long: 300, kept: 'soup' }, zeros: true,
    });
    assert.equal(body.warning, 'too_hot');
    assert.deepEqual((await cook('json', { s: 'x' })).i, -1);
    assert.equal((await kitchen('json', {})).error, 'no_s');
  });

  test('errors are a code, a code with a line for people, or mended', async () => {
    assert.equal((await kitchen('fail', { s: 'code' })).error, 'burnt');
    const text = await kitchen('fail', { s: 'text' });
    assert.deepEqual([text.error, text.response_metadata.messages], ['burnt', ['[ERROR] it was in the oven for too long']]);
    assert.deepEqual(await cook('fail', { s: 'mended' }), { failed: true, tried: -3 });
    assert.equal((await kitchen('fail', {})).ok, false);
  });

  test('pages follow each other by their cursors', async () => {
    const numbers = [];
    let cursor = '';
    do {
      const body = await must(server, 'kitchen.page', ada.token, { cursor });
      assert.equal(body.cursor_reads_back, true);
      numbers.push(...body.numbers);
      cursor = body.response_metadata?.next_cursor ?? '';
    } while (cursor);
    assert.deepEqual(numbers, [...Array(12).keys()]);
    assert.equal((await kitchen('page', { cursor: 'bm90aGluZw==' })).error, 'invalid_cursor');
    assert.equal((await kitchen('page', { limit: 'x' })).error, 'invalid_limit');
  });

  test('a handler waits, holds its call, and has tasks of its own', async () => {
    assert.ok((await cook('await')).stamp > 1.7e15);
    assert.deepEqual(await cook('held'), { said: 'hello' });
    assert.deepEqual(await cook('task', { s: 'peel' }), { status: 0, body: '{"as_system":true,"word":"peel"}', error: '', ended_late: true });
    const failed = await cook('task', { s: 'fail' });
    assert.deepEqual([failed.status, failed.error], [-3, 'no_time']);
    assert.deepEqual(await cook('slow'), { status: TIMEOUT });
    assert.deepEqual(await cook('nobody'), { status: UNAVAILABLE });
  });

  test('posted work, timers, descriptors and the pool take their turns', async () => {
    assert.deepEqual(await cook('loop'), { seen: 'posted tick tick poll work worked' });
  });

  test('an operation ends once, in one of its ways', async () => {
    assert.deepEqual(await cook('ops'), {
      good: 0, bad: IO, many_a: 0, many_b: NOTFOUND, late: TIMEOUT, cancelled: 1, destroyed: 1, late_refused: true,
    });
  });

  test('rows are written under conditions, read by key and by index', async () => {
    const thing = { id: 'pan', n: 1, note: 'iron', raw_bytes: 2, has_seq: true };
    await cook('put', { id: 'pan', n: 1, note: 'iron' });
    assert.deepEqual(await cook('get', { id: 'pan' }), { thing });
    assert.equal((await kitchen('put', { id: 'pan' })).error, 'is_there');
    await cook('change', { id: 'pan', how: 'set', n: 5 });
    assert.equal((await kitchen('change', { id: 'pan', how: 'set', n: 6 })).error, 'is_not_one');
    await cook('change', { id: 'pan', how: 'add', n: 2 });
    await cook('change', { id: 'pan', how: 'max', n: 3 });
    await cook('change', { id: 'pan', how: 'clear' });
    assert.deepEqual((await cook('get', { id: 'pan' })).thing, { ...thing, n: 7, note: null });
    await cook('change', { id: 'pot', n: 4 });
    const list = await cook('list', {  id: 'x', how: 'back', n: 7 });
    assert.deepEqual(list.things.map((t) => t.id).slice(0, 1), ['pot']);
    assert.equal(list.has_position, true);
    assert.ok((await cook('list', { id: 'x', how: 'count' })).count >= 2);
    assert.ok((await cook('list', { id: 'x', how: 'notes' })).things.every((t) => t.note !== null));
    await cook('remove', { id: 'pot' });
    assert.equal((await kitchen('get', { id: 'pot' })).error, 'not_there');
  });

  test('what was claimed is done once', async () => {
    await cook('put', { id: 'once', how: 'claim-1' });
    await cook('remove', { id: 'once' });
    assert.deepEqual(await cook('put', { id: 'again', how: 'claim-1' }), { first: 'once', has_seq: true });
    assert.equal((await kitchen('get', { id: 'again' })).error, 'not_there');
  });

  test('the operator writes for a workspace, and sees how far it is', async () => {
    const args = ['kitchen', 'write', '--workspace', server.team.id, 'spoon', '-c', file, '--data', server.data];
    const { code, out, err } = await taut(args, { env: server.env });
    assert.deepEqual([code, /spoon/.test(out), /writing/.test(out + err)], [0, true, true], out + err);
    assert.equal((await cook('get', { id: 'spoon' })).thing.n, -1);
  });

  test('events reach those on their topic; those past the log and ephemeral ones as well', async () => {
    const socket = await Socket.connect(server, ada.token);
    await cook('put', { id: 'bell', topic: channel });
    await cook('announce', { id: 'dinner', topic: channel });
    for (const type of ['kitchen_put', 'kitchen_smell', 'kitchen_call']) await socket.next(type, (f) => f.type === type);
    assert.equal(socket.frames.find((f) => f.type === 'kitchen_smell').cursor, undefined);
    socket.terminate();
  });

  test('sockets are let in or refused, answered, sent to and closed', async () => {
    const url = server.url.replace(/^http/, 'ws').replace(/\/$/, '');
    const refused = Socket.open(`${url}/kitchen/live/nobody`);
    assert.equal((await refused.closed).code, 4001);
    assert.deepEqual(refused.frames, [{ refused: 'invalid_auth' }]);
    const socket = Socket.open(`${url}/kitchen/live/${ada.token}`);
    await socket.next('hello', (f) => f.from === 'kitchen');
    socket.send('{"more":true}');
    assert.deepEqual((({ echo, has_state, user }) => ({ echo, has_state, user }))(await socket.next('an echo', (f) => f.echo)), {
      echo: '{"more":true}', has_state: true, user: ada.id,
    });
    await socket.next('more', (f) => f.type === 'more');
    socket.send('{"end":true}');
    assert.deepEqual(await socket.closed, { code: 4002, reason: 'the kitchen closes' });
    // a build with checks lets it in twice: the rehearsal's is gone at once
    await until((s) => s.opened >= 1 && s.opened <= 2 && s.closed === s.opened, 'what was opened is closed');
    const other = Socket.open(`${url}/kitchen/live/`, { 'X-Kitchen-Token': ada.token });
    await other.next('hello', (f) => f.from === 'kitchen');
    other.terminate();
  });

  test('routes see their request, and answer from memory and from files', async () => {
    const echo = await request(server, { method: 'PUT', path: '/kitchen/echo?a=1', headers: { 'x-spice': 'salt' }, body: 'stir' });
    assert.deepEqual([echo.status, echo.text, echo.headers['x-spice']], [201, 'PUT /kitchen/echo?a=1 stir', 'salt']);
    const large = await request(server, { method: 'PUT', path: '/kitchen/echo', body: 'x'.repeat(100_000) });
    assert.deepEqual([large.text, large.headers['x-spice']], ['100000 bytes', 'none']);
    const form = await request(server, {
      path: '/kitchen/form',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\nabc\r\n--b--\r\n',
    });
    assert.deepEqual(form.json, [
      { name: 'a', is_file: false, filename: '', length: 1 },
      { name: 'f', is_file: true, filename: 'x.txt', length: 3 },
    ]);
    const recipe = await request(server, { method: 'GET', path: '/kitchen/file' });
    assert.deepEqual([recipe.text, recipe.headers.etag], ['recipe that is kept in a file\n', '"recipe-1"']);
    const same = await request(server, { method: 'GET', path: '/kitchen/file', headers: { 'if-none-match': '"recipe-1"' } });
    assert.equal(same.status, 304);
    assert.equal(await page('/kitchen/health'), 'hello');
  });

  test('at a point filters, observers and providers are asked and told', async () => {
    const { tasted } = await cook('state');
    assert.deepEqual(await cook('point', { s: 'soup' }), { functions: 3, nobody: 0, salt: 11, provided: 0 });
    assert.deepEqual(await cook('point', { s: 'secret' }), { functions: 3, nobody: 0, salt: 1, provided: NOTFOUND });
    assert.equal((await kitchen('point', { s: 'mud' })).error, 'not_edible');
    await until((s) => s.tasted === tasted + 2, 'two told');
  });

  test('messages pass its filters, and their fates are observed', async () => {
    const { sent, edited, deleted } = await cook('state');
    const posted = await must(server, 'chat.postMessage', ada.token, { channel, text: 'shout' });
    assert.equal(posted.message.text, 'HO');
    assert.equal((await call(server, 'chat.postMessage', ada.token, { channel, text: 'forbidden' })).error, 'restricted_action');
    await must(server, 'chat.postMessage', ada.token, { channel, text: 'slow' });
    await must(server, 'chat.update', ada.token, { channel, ts: posted.ts, text: 'softly' });
    await must(server, 'chat.delete', ada.token, { channel, ts: posted.ts });
    assert.equal((await call(server, 'chat.postMessage', ada.token, { channel, text: 'broken' })).error, 'service_unavailable');
    await until((s) => s.sent === sent + 2 && s.edited === edited + 1 && s.deleted === deleted + 1, 'each observed');
  });

  test('the directory and the conversations answer as services', async () => {
    const { bot } = server;
    assert.deepEqual(await cook('directory', { user: ada.id, name: 'ada', bot: bot.bot_id ?? bot.id, token: ada.token }), {
      domain: 'demo', workspaces: 1, user: 'ada', same: true, bot: bot.name ?? 'helper', token: true, live: 1,
    });
    assert.deepEqual(await cook('conversation', { channel }), { name: 'general', is_public: true, same: true, topics: true, has_position: true });
    assert.equal((await kitchen('conversation', { channel: 'C0' })).error, 'channel_not_found');
    assert.deepEqual(await cook('say', { channel, name: 'through the service' }), { text: 'through the service' });
    assert.equal((await cook('get', { id: 'said' })).thing.n, 1);
  });

  test('a workspace is made in one batch, with what its filters add', async () => {
    const made = await command('kitchen', 'provision', '--workspace', 'bistro');
    assert.ok(made.workspace?.startsWith('T'), JSON.stringify(made));
    const { messages } = await must(server, 'conversations.history', made.token, { channel: made.channel });
    assert.equal(messages.at(-1).text, 'the first');
    const born = answered(await must(server, 'kitchen.get', made.token, { id: made.owner }));
    assert.equal(born.thing.note, made.owner);
  });

  test('the store says what is wrong with a question, and a service that nobody provides that it is not there', async () => {
    assert.deepEqual(await cook('storage'), {
      commit: INVAL, get: INVAL, scan: INVAL, events: 0, logs: 0, cursors: 0, open: EXISTS, restore: EXISTS, backup: EXISTS,
      has_logs: true, has_events: true, has_cursors: true, copies: false,
    });
    const down = await cook('down');
    assert.deepEqual([down.auth, down.directory, down.conversation], [1, 11, 9]);
    for (const name of ['commit', 'get', 'scan', 'events', 'logs', 'cursors', 'open', 'restore', 'backup', 'close']) assert.equal(down[name], UNAVAILABLE, name);
  });

  test('options that are live change in two phases, and a module may refuse', async () => {
    writeFileSync(file, modulesYaml('kitchen: { greeting: nothing }'));
    const refused = await taut(['reload', '-c', file, '--data', server.data], { env: server.env });
    assert.match(refused.err + refused.out, /modules\.kitchen\.greeting: says nothing; take a word/);
    writeFileSync(file, modulesYaml('kitchen: { greeting: bon appetit, patience: 20ms }'));
    await command('reload');
    assert.deepEqual(await cook('held'), { said: 'bon appetit' });
    const { committed, greeting, words } = await cook('state');
    assert.deepEqual([committed, greeting, words], [1, 'bon appetit', ['salt', 'pepper']]);
  });

  test('its own cursor moves with what it writes down, skips what it is told to, and ends', async () => {
    const post = (text) => must(server, 'chat.postMessage', ada.token, { channel, text });
    let { own_logged, logged } = await cook('state');
    await post('one');
    await until((s) => s.own_logged === own_logged + 1, 'one of its own');
    await cook('skip', { i: 2 });
    await post('seen, and then two are skipped');
    await until((s) => s.own_logged === own_logged + 2, 'a second one');
    await post('skipped');
    await post('skipped');
    await post('seen again');
    await until((s) => s.own_logged === own_logged + 3, 'a third one');
    await cook('unsubscribe');
    await post('nobody notes this');
    await until((s) => s.logged === logged + 6, 'the other cursor goes on');
    assert.equal((await cook('state')).own_logged, own_logged + 3);
  });

  test('the log is made shorter, and who was behind is told of the gap', async () => {
    const { last_seq } = await cook('state');
    await cook('trim', { i: last_seq });
    assert.equal((await cook('storage')).events, -10);
  });
});

describe('a store that is no SQLite', { timeout: 60_000 }, () => {
  test('tells the kitchen what is durable', async () => {
    const file = writeFile(newDir(), 'taut.yaml', `modules: [store_memory, directory, conversation, rtm, demo, kitchen]\n`);
    const store = COUNTED ? 'counted/store_memory' : 'testmods/store_memory';
    const server = await Server.start({ env: env(MODULE, store), args: ['-c', file] });
    await must(server, 'kitchen.put', server.user('ada').token, { id: 'pan' });
    assert.equal((await must(server, 'kitchen.get', server.user('ada').token, { id: 'pan' })).thing.id, 'pan');
    await server.stop();
  });
});

// How a line of the kitchen, or of a header that it uses, calls a function of each table.
const CALLS = {
  taut_host: (n) => `host->${n}(`,
  taut_route_host: (n) => `route->${n}(`,
  taut_auth_v1: (n) => `auth->${n}(`,
  taut_directory_v1: (n) => `dir(m)->${n}(`,
  taut_conversation_v1: (n) => `conv(m)->${n}(`,
  taut_storage_v1: (n) => `t->${n}(self,`,
};

describe('include/taut', () => {
  test('has no function, no member of a table and no macro that the kitchen does not use', () => {
    assert.ok(COUNTED, 'only a build by gcc counts what was run');
    const { wrappers, members, macros } = publicCalls(path.join(TOP, 'include'));
    const { functions, lines } = counted(counters);
    const run = lines.filter((l) => l.count > 0).map((l) => l.text);
    const kitchen = path.join(TOP, 'tests/testmods/kitchen');
    const sources = readdirSync(kitchen).map((f) => readFileSync(path.join(kitchen, f), 'utf8')).join('\n');
    const headers = [...new Set(macros.map((m) => m.header))].map((h) => readFileSync(path.join(TOP, 'include', h), 'utf8')).join('\n');
    assert.ok(wrappers.length > 130 && members.length > 90 && macros.length > 25, 'the list is read');
    const unused = wrappers.filter((w) => !functions.get(w.name)).map((w) => `${w.name}() of ${w.header}`);
    for (const m of members) {
      const text = CALLS[m.table]?.(m.name);
      assert.ok(text, `no way to see calls of ${m.table}`);
      if (!run.some((l) => l.includes(text))) unused.push(`${m.table}.${m.name} of ${m.header}`);
    }
    const isUsed = (name) => new RegExp(`\\b${name}\\b`).test(sources);
    for (const m of macros) {
      const inHeaders = headers.match(new RegExp(`\\b${m.name}\\b`, 'g')).length > 1; // used by what is used
      if (!isUsed(m.name) && !inHeaders) unused.push(`${m.name} of ${m.header}`);
    }
    assert.deepEqual(unused, []);
  });
});
