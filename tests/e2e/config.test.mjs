// What the configuration is to the people who write it: its errors, its schema, its explanations.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';

import Ajv from 'ajv/dist/2020.js';
import YAML from 'yaml';

import { newDir, TAUT, taut, writeFile } from './lib/server.mjs';

const MODULES = ['store_sqlite', 'directory', 'conversation', 'rtm'];
const PAGE = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');
const fenced = [...PAGE.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
const blocks = (language) => fenced.filter((m) => m[1] === language).map((m) => m[2]);

const RIGHT = {
  'names alone': `modules: [${MODULES}]`,
  'the example of docs/config.md': blocks('yaml')[0],
  'a module in the long form, another name, and none': 'modules: [{store_sqlite: {as: main, sync: off}}, {directory: }]',
  'words that YAML takes for something else': 'server: {rate_limits: off, log_level: warn}\nmodules: [{store_sqlite: {sync: off}}]',
  'units': 'server: {max_body: 2097152, idle_timeout: 90s, cache: 0}\nmodules: [{store_sqlite: {page_cache: 1GiB}}]',
  'the environment': 'server: {listen: "127.0.0.1:${env:TAUT_E2E_PORT}", gateways: "${env:TAUT_E2E_GATEWAYS}"}\nmodules: [store_sqlite]',
};
const WRONG = {
  'an option that is not known': ['server: {lisen: "127.0.0.1:1"}\nmodules: []', '/server'],
  'a section that is not known': ['sever: {}\nmodules: []', ''],
  'no modules': ['server: {}', ''],
  'a module that is not there': ['modules: [nope]', '/modules/0'],
  'an option of a module': ['modules: [{store_sqlite: {sinc: off}}]', '/modules/0/store_sqlite'],
  'two modules in one item': ['modules: [{store_sqlite: , directory: }]', '/modules/0'],
  'a word that is none of the choices': ['modules: [{store_sqlite: {sync: ful}}]', '/modules/0/store_sqlite/sync'],
  'a number out of its range': ['server: {gateways: 99}\nmodules: []', '/server/gateways'],
  'a size without its unit': ['server: {max_body: 64M}\nmodules: []', '/server/max_body'],
  'a duration without its unit': ['server: {idle_timeout: 5}\nmodules: []', '/server/idle_timeout'],
  'an address without its port': ['server: {listen: localhost}\nmodules: []', '/server/listen'],
  'a URL that is none': ['server: {public_url: chat.example.org}\nmodules: []', '/server/public_url'],
  'a list where one value belongs': ['server: {log_level: [info]}\nmodules: []', '/server/log_level'],
  'a name that is none': ['modules: [{store_sqlite: {as: A B}}]', '/modules/0/store_sqlite/as'],
};
const ENV = { TAUT_E2E_PORT: '21290', TAUT_E2E_GATEWAYS: '2' };

const check = (yaml, args = []) => taut(['check', '-c', writeFile(newDir(), 'taut.yaml', yaml), ...args], { env: ENV });

describe('taut check --schema', () => {
  let ajv, schema, validate;

  before(async () => {
    const { code, json } = await taut(['check', '--schema']);
    assert.equal(code, 0);
    schema = json;
    ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
    validate = ajv.compile(schema);
  });

  test('prints a schema that its own metaschema accepts', () => {
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.ok(ajv.validateSchema(schema), ajv.errorsText());
  });

  for (const [what, yaml] of Object.entries(RIGHT))
    test(`accepts what the server accepts: ${what}`, async () => {
      const { code, err } = await check(yaml);
      assert.deepEqual({ code, err }, { code: 0, err: '' });
      for (const version of ['1.1', '1.2']) // editors differ in what off means
        assert.ok(validate(YAML.parse(yaml, { version })), `YAML ${version}: ${ajv.errorsText(validate.errors)}`);
    });

  for (const [what, [yaml, place]] of Object.entries(WRONG))
    test(`refuses what the server refuses: ${what}`, async () => {
      const { code } = await check(yaml);
      assert.equal(code, 1);
      assert.equal(validate(YAML.parse(yaml)), false);
      assert.ok(validate.errors.some((e) => e.instancePath === place), JSON.stringify(validate.errors));
    });

  test('describes every option with its default', async () => {
    const { options } = (await taut(['config', 'explain', '--json'])).json;
    const at = (o, key) => o?.properties?.[key];
    for (const { name, help, default: dflt } of options) {
      const [top, ...rest] = name.split('.');
      let found = at(schema, top);
      if (top === 'modules') found = found.items.anyOf[1].properties[rest.shift()].anyOf[0];
      for (const key of rest) found = at(found, key);
      assert.ok(found?.description.startsWith(help), name);
      if (dflt !== undefined) assert.equal(String(found.default), dflt.replaceAll(', ', ','), name);
    }
  });
});

describe('taut check', () => {
  test('prints for programs what it prints for people', async () => {
    const yaml = 'server:\n  gateways: 99\n  lisen: x\nmodules:\n  - store_sqlite: { sync: ful }\n';
    const file = writeFile(newDir(), 'taut.yaml', yaml);
    const people = await taut(['check', '-c', file]);
    const programs = await taut(['check', '-c', file, '--json']);
    assert.equal(programs.code, 1);
    assert.equal(programs.err, '');
    const { ok, modules, errors, warnings } = programs.json;
    assert.deepEqual({ ok, modules, warnings }, { ok: false, modules: 1, warnings: [] });
    assert.deepEqual(
      errors.map((e) => `${e.file}:${e.line}:${e.column}: ${e.option}: ${e.message}\n`).join(''),
      people.err,
    );
    assert.deepEqual(
      errors.map((e) => [e.line, e.column, e.option]),
      [[2, 13, 'server.gateways'], [3, 3, 'server'], [5, 27, 'modules.store_sqlite.sync']],
    );
    assert.deepEqual((await check('modules: []', ['--json'])).json.errors, []);
  });

  test('gives the errors that docs/config.md shows', async () => {
    const yaml = 'modules:\n  - directory\n  - conversation\n  - rtm\n\n  - store_sqlite:\n      sync: "ful"\n      page_cahce: 1MiB\n';
    const { err } = await check(yaml);
    const shown = blocks('').find((b) => b.startsWith('taut.yaml:7'));
    assert.equal(err.replaceAll(/^.*\/taut.yaml/gm, 'taut.yaml'), shown);
  });

  test('sees to it that the two addresses differ', async () => {
    const { code, err } = await check('server: { listen: "127.0.0.1:21291" }\nadmin: { listen: "127.0.0.1:21291" }\nmodules: []');
    assert.equal(code, 1);
    assert.match(err, /taut\.yaml:2:18: admin\.listen: 127\.0\.0\.1:21291 is taken by server\.listen \(127\.0\.0\.1:21291\); give one of them another port\n$/);
  });
});

describe('taut check', () => {
  const check = async (yaml, env = {}) => {
    const { err, code } = await taut(['check', '-c', writeFile(newDir(), 'taut.yaml', yaml)], { env });
    return { code, lines: err.trimEnd().split('\n').map((line) => line.replace(/^\S*taut\.yaml/, 'taut.yaml')) };
  };

  test('names each origin that is none, beside all other errors', async () => {
    const { code, lines } = await check(
      'server:\n  max_body: 3XiB\n  allowed_origins: [one.example, https://two.example, three.example/x]\n' +
        '  tls: { cert: /nowhere.crt, key: /nowhere.key }\nmodules: [rtm]\n',
    );
    const no_origin = (text) => `"${text}" is not an origin; write it like https://chat.example.org, without a path, or * for all pages`;
    assert.equal(code, 1);
    assert.deepEqual(lines.slice(0, 4), [
      'taut.yaml:2:13: server.max_body: "3XiB" is not a size; write it like 512, 64KiB, 1MiB or 2GiB',
      `taut.yaml:3:21: server.allowed_origins: ${no_origin('one.example')}`,
      `taut.yaml:3:55: server.allowed_origins: ${no_origin('three.example/x')}`,
      'taut.yaml:4:16: server.tls.cert: /nowhere.crt: cannot be read: No such file or directory; give the path of a PEM file, absolute or below the folder of the configuration file',
    ]);
  });

  test('says nothing that follows from another error', async () => {
    const { lines } = await check('server:\n  tls: { cert: taut.yaml }\n  trusted_proxies: [x]\nmodules: [store_sqlite]\n');
    assert.deepEqual(lines.map((line) => line.split(' ')[1]), ['server.tls:', 'server.trusted_proxies:'], lines.join('\n'));
  });

  test('looks for the folder of the log', async () => {
    const { code, lines } = await check('server: { log_file: /nowhere/taut.log }\nmodules: [store_sqlite]\n');
    assert.deepEqual([code, lines], [0, ['taut.yaml:1:21: warning: server.log_file: its folder /nowhere is not there now; the server does not start without it']]);
  });

  test('does not refuse a key that the service manager makes when the service starts', async () => {
    const { code, lines } = await check('server:\n  tls: { cert: /run/credentials/taut.service/a.crt, key: /run/credentials/taut.service/a.key }\nmodules: [store_sqlite]\n');
    const warning = (place, option, ext) =>
      `taut.yaml:2:${place}: warning: server.tls.${option}: /run/credentials/taut.service/a.${ext} was not looked at: it is there only while the service runs, and for the service alone`;
    assert.deepEqual([code, lines], [0, [warning(16, 'cert', 'crt'), warning(58, 'key', 'key')]]);
  });

  test('says of half a pair that it is half, and that it cannot be read', async () => {
    const { code, lines } = await check('server:\n  tls: { cert: /nowhere.crt }\nmodules: [store_sqlite]\n');
    assert.equal(code, 1);
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines.join('\n'), /server\.tls\.cert: \/nowhere\.crt: cannot be read: No such file or directory; /);
    assert.match(lines.join('\n'), /server\.tls: needs the option "key"/);
  });

  test('warns of a folder of modules that is not there, and of no modules', async () => {
    const { code, lines } = await check('server: { module_path: [/nowhere] }\nmodules: []\n');
    assert.equal(code, 0);
    assert.deepEqual(lines, [
      'taut.yaml:1:24: warning: server.module_path: there is no folder /nowhere',
      'taut.yaml:2:10: warning: modules: is empty: a server without modules serves nothing',
    ]);
  });

  test('reads a configuration from a pipe', async () => {
    const script = '{ sleep 0.1; echo "modules: [store_sqlite]"; } | "$0" check -c /dev/stdin';
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, TAUT], { encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '/dev/stdin: ok: 1 module\n', '']);
  });
});

describe('taut config explain', () => {
  const explain = (args, yaml = 'server:\n  log_level: warn\n  listen: 127.0.0.1:${env:TAUT_E2E_PORT}\nmodules: [store_sqlite]\n') =>
    taut(['config', 'explain', '-c', writeFile(newDir(), 'taut.yaml', yaml), ...args], { env: ENV });

  test('says what an option is, what it may be, what it is now, and who said so', async () => {
    const { out } = await explain(['server.log_level']);
    assert.equal(
      out.replace(/\S+\/taut.yaml/, 'taut.yaml'),
      'server.log_level\n' +
        '  least level that is logged\n' +
        '  type      debug|info|warn|error\n' +
        '  default   info\n' +
        '  a change  applied by a reload\n' +
        '  value     warn\n' +
        '  set by    taut.yaml:2:14\n',
    );
    const { options } = (await explain(['server.header_timeout', '--json'])).json;
    assert.deepEqual(options, [
      {
        name: 'server.header_timeout',
        type: 'duration',
        default: '10s',
        range: '100ms to 1h',
        unit: 'ms, s, m, h, d',
        required: false,
        live: true,
        help: 'to send a head in',
        value: '10s',
        set: 'the default',
      },
    ]);
  });

  test('knows the file, the environment, the command line and the default apart', async () => {
    const set = async (option, args = []) => (await explain([option, '--json', ...args])).json.options[0];
    assert.match((await set('server.log_level')).set, /^\S+\/taut\.yaml:2:14$/);
    assert.match((await set('server.listen')).set, /^\S+:3:11, from the environment: 127\.0\.0\.1:\$\{env:TAUT_E2E_PORT\}$/);
    assert.equal((await set('server.listen')).value, '127.0.0.1:21290');
    const given = await set('server.listen', ['--listen', '127.0.0.1:21292']);
    assert.deepEqual([given.set, given.value], ['the command line (--listen)', '127.0.0.1:21292']);
    assert.equal((await set('modules.store_sqlite.sync')).set, 'the default');
    const other = await set('modules.rtm.messages_per_second');
    assert.deepEqual([other.set, other.value], ['the module is not listed', undefined]);
  });

  test('lists what begins like that, or all', async () => {
    const names = async (...args) => (await explain([...args, '--json'])).json.options.map((o) => o.name);
    assert.deepEqual(await names('modules.store_sqlite.p'), ['modules.store_sqlite.path', 'modules.store_sqlite.page_cache']);
    const all = await names();
    for (const name of ['server.listen', 'admin.listen', 'modules.store_sqlite.sync', 'modules.rtm.ticket_lifetime'])
      assert.ok(all.includes(name), name);
    const { out } = await explain(['server.log_']);
    assert.match(out, /^server\.log_level +warn$/m);
  });

  test('finds the option that was meant', async () => {
    const meant = async (word) => (await explain([word])).err;
    const text = (word, near) => `taut config explain: there is no option "${word}"${near ? `; did you mean "${near}"?` : ''}\n`;
    assert.equal(await meant('server.lisen'), text('server.lisen', 'server.listen'));
    assert.equal(await meant('max_bod'), text('max_bod', 'server.max_body'));
    assert.equal(await meant('log_levle'), text('log_levle', 'server.log_level'));
    assert.equal(await meant('xyzzy'), text('xyzzy'));
    assert.equal((await explain(['xyzzy'])).code, 1);
  });

  test('takes the name alone, of an option, a section or a module', async () => {
    const names = async (word) => (await explain([word, '--json'])).json.options.map((o) => o.name);
    assert.deepEqual(await names('cache'), ['server.cache']);
    assert.deepEqual(await names('tls'), ['server.tls.cert', 'server.tls.key']);
    assert.deepEqual(await names('tls.key'), ['server.tls.key']);
    assert.ok((await names('rtm')).includes('modules.rtm.ticket_lifetime'));
    const store = await names('store_sqlite');
    assert.ok(store.includes('modules.store_sqlite.sync') && store.every((name) => name.startsWith('modules.store_sqlite.')));
  });

  test('explains even when the configuration is wrong', async () => {
    const { out, code } = await explain(['server.log_level'], 'server: { log_level: wran }\nmodules: []\n');
    assert.equal(code, 0);
    assert.match(out, /type +debug\|info\|warn\|error\n/);
    assert.match(out, /set by +the configuration has errors, see: taut check\n/);
    assert.ok(!/value/.test(out));
  });
});

describe('taut config print', () => {
  test('prints what reads back as the same', async () => {
    const yaml = 'server: { listen: "127.0.0.1:21293", data: /d, idle_timeout: 60s }\nmodules: [{store_sqlite: {sync: off}}, directory]\n';
    const first = await taut(['config', 'print', '-c', writeFile(newDir(), 'taut.yaml', yaml)]);
    const again = await taut(['config', 'print', '-c', writeFile(newDir(), 'taut.yaml', first.out)]);
    assert.equal(first.code, 0);
    assert.match(first.out, /^ {2}idle_timeout: 1m$/m);
    assert.equal(again.out, first.out);
  });
});
