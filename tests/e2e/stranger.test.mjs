// What a C programmer meets who has the installed package and nothing else: the template, two ways to build it, its test,
// the page docs/modules.md to the letter, a server that runs the module.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { newDir, TAUT } from './lib/server.mjs';

const BUILD = path.resolve(path.dirname(TAUT), '..');
const TOP = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const PAGE = readFileSync(path.join(TOP, 'docs/modules.md'), 'utf8');

const prefix = path.join(newDir(), 'usr');
const env = { ...process.env, PATH: `${prefix}/bin:${process.env.PATH}`, PKG_CONFIG_PATH: '', CC: '', CFLAGS: '', TAUT_MODULE_DIR: '' };
for (const name of ['CC', 'CFLAGS', 'MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'DESTDIR']) delete env[name];

// { code, out, err } of a program.
function run(program, args, cwd = newDir(), more = {}) {
  return new Promise((resolve) =>
    execFile(program, args, { cwd, env: { ...env, ...more }, maxBuffer: 1 << 24 }, (e, out, err) =>
      resolve({ code: e ? (e.code ?? e.signal) : 0, out, err }),
    ),
  );
}
async function ok(program, args, cwd, more) {
  const r = await run(program, args, cwd, more);
  assert.equal(r.code, 0, `${program} ${args.join(' ')}: ${r.code}\n${r.out}${r.err}`);
  return r.out;
}
const files = (dir, below = '') =>
  readdirSync(path.join(dir, below), { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? files(dir, path.join(below, e.name)) : [path.join(below, e.name)],
  );
function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
// The blocks of the page in one language, in their order.
const blocks = (page, language) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map((m) => m[1]);

describe('with the installed package alone', { timeout: 120_000 }, () => {
  let installed, hello;
  before(async () => {
    const out = await ok('cmake', ['--install', BUILD, '--prefix', prefix]);
    installed = [...out.matchAll(/^-- Installing: (.*)$/gm)].map((m) => m[1]).filter((f) => !statSync(f).isDirectory());
    const dir = newDir();
    assert.match(await ok('taut', ['module', 'new', 'hello', '--author', 'Ada Lovelace'], dir), /^made hello\/; its README\.md/);
    hello = path.join(dir, 'hello');
  });

  test('a new module is a folder with its name filled in', async () => {
    const names = ['.github/workflows/test.yml', '.gitignore', 'CMakeLists.txt', 'Makefile', 'README.md', 'hello.c', 'hello.test.yaml', 'taut.yaml'];
    assert.deepEqual(files(hello).sort(), names.sort());
    for (const f of names) assert.doesNotMatch(readFileSync(path.join(hello, f), 'utf8'), /@(NAME|AUTHOR|YEAR)@|\bNAME\.(c|so)/, f);
    const code = readFileSync(path.join(hello, 'hello.c'), 'utf8');
    assert.match(code, new RegExp(`Copyright ${new Date().getUTCFullYear()} Ada Lovelace$`, 'm'));
    assert.ok(code.split('\n').length <= 200);
    const dir = newDir();
    mkdirSync(path.join(dir, 'src'));
    const made = JSON.parse(await ok('taut', ['module', 'new', 'a_2', '--dir', 'src', '--json'], dir));
    assert.deepEqual([made.module, made.folder, made.files.sort()], ['a_2', 'src/a_2', files(path.join(dir, 'src/a_2')).sort()]);
  });

  test('what cannot be a new module is said in one line', async () => {
    const dir = newDir();
    mkdirSync(path.join(dir, 'there'));
    const refused = async (args, line) => {
      const r = await run('taut', ['module', 'new', ...args], dir);
      assert.deepEqual([r.code, r.out, r.err], [1, '', `taut module new: ${line}\n`]);
    };
    const form = 'is not the name of a module; use a-z, 0-9 and _, at most 32 characters, a letter first';
    const lib = path.dirname(installed.find((f) => f.endsWith('/rtm.so')));
    await refused(['Hello'], `"Hello" ${form}`);
    await refused(['../x'], `"../x" ${form}`);
    await refused(['a'.repeat(33)], `"${'a'.repeat(33)}" ${form}`);
    await refused(['rtm'], `there is a module "rtm" already (${lib}/rtm.so); choose another name`);
    await refused(['test'], '"test" cannot be the name of a module: make or cmake has a target of that name; choose another');
    await refused(['user'], '"user" cannot be the name of a module: there is a command "taut user create"; choose another');
    await refused(['there'], 'there is there already; remove it, or choose another name');
    await refused(['x', '--dir', 'nowhere'], 'there is no folder nowhere; make it first');
    await refused(['x', '--author', 'a */ b'], '--author must not hold "*/", which ends a comment');
    await refused(['x', '--author', 'a\nb'], '--author must be one line, without control characters');
    assert.deepEqual(readdirSync(dir), ['there']);
  });

  test('it builds with make and with CMake, gcc and clang, and exports one symbol', async () => {
    const built = async (file) =>
      assert.match(await ok('nm', ['-D', '--defined-only', file]), /^[0-9a-f]+ [DR] taut_module\n$/, file);
    for (const compiler of ['gcc', 'clang']) {
      await ok('make', ['-B', `CC=${compiler}`, 'CFLAGS=-O2 -Werror'], hello);
      await built(path.join(hello, 'hello.so'));
      const dir = path.join(newDir(), compiler);
      await ok('cmake', ['-S', hello, '-B', dir, `-DCMAKE_C_COMPILER=${compiler}`, '-DCMAKE_C_FLAGS=-Werror']);
      await ok('cmake', ['--build', dir]);
      await built(path.join(dir, 'hello.so'));
    }
    const shortest = blocks(PAGE, 'sh').find((b) => b.startsWith('cc '));
    await ok('bash', ['-c', shortest], hello, { PKG_CONFIG_PATH: path.dirname(installed.find((f) => f.endsWith('taut-module.pc'))) });
    await built(path.join(hello, 'hello.so'));
  });

  test('C++ stands beside the C that declares it', async () => {
    const dir = newDir();
    writeFileSync(path.join(dir, 'words.cpp'), '#include <string>\n#include <taut/taut.h>\nextern "C" int32_t words_start(struct taut_mod *m);\nint32_t words_start(struct taut_mod *m) { return std::string(m->name).size() > 0 ? TAUT_OK : TAUT_E_INVAL; }\n');
    writeFileSync(path.join(dir, 'words.c'), '#include <taut/taut.h>\nint32_t words_start(struct taut_mod *m);\nTAUT_MODULE(.name = "words", .version = "1", .init = words_start);\n');
    writeFileSync(path.join(dir, 'CMakeLists.txt'), 'cmake_minimum_required(VERSION 3.13)\nproject(words LANGUAGES C CXX)\nfind_package(TautModule 0.1 REQUIRED)\nenable_testing()\ntaut_add_module(words words.c words.cpp)\n');
    await ok('cmake', ['-B', 'build', '-DCMAKE_C_FLAGS=-Werror', '-DCMAKE_CXX_FLAGS=-Werror'], dir);
    await ok('cmake', ['--build', 'build'], dir);
    assert.match(await ok('nm', ['-D', '--defined-only', 'build/words.so'], dir), /^[0-9a-f]+ [DR] taut_module\n$/);
  });

  test('a wrong type of function and a missing symbol fail when it is built', async () => {
    const build = async (code) => {
      const dir = newDir();
      writeFileSync(path.join(dir, 'bad.c'), `#include <taut/taut.h>\n${code}\nTAUT_MODULE(.name = "bad", .version = "1", .init = init);\n`);
      writeFileSync(path.join(dir, 'CMakeLists.txt'), 'cmake_minimum_required(VERSION 3.13)\nproject(bad LANGUAGES C)\nfind_package(TautModule REQUIRED)\ntaut_add_module(bad bad.c)\n');
      await ok('cmake', ['-B', 'build'], dir);
      const r = await run('cmake', ['--build', 'build'], dir);
      assert.notEqual(r.code, 0);
      return r.out + r.err;
    };
    assert.match(await build('static int32_t init(struct taut_call *c) { (void)c; return 0; }'), /incompatible-pointer-types/);
    assert.match(await build('int32_t elsewhere(void);\nstatic int32_t init(struct taut_mod *m) { (void)m; return elsewhere(); }'), /undefined reference to `elsewhere'/);
  });

  test('all code on the page compiles', async () => {
    const dir = newDir();
    const code = blocks(PAGE, 'c');
    assert.ok(code.length >= 10);
    const headers = ['taut/msg.h', 'taut/taut.h', 'taut/svc/conversation.h'].flatMap((h) => ['-include', h]);
    for (const [i, text] of code.entries()) {
      writeFileSync(path.join(dir, `${i}.c`), text);
      await ok('cc', ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Wno-unused', '-Werror', '-fsyntax-only', `-I${prefix}/include`, ...headers, `${i}.c`], dir);
    }
  });

  test('the module on the page does as it says: it leaves nothing', async () => {
    const dir = newDir();
    writeFileSync(path.join(dir, 'ticker.c'), `#include <taut/taut.h>\n${blocks(PAGE, 'c').find((b) => b.includes('"ticker"'))}`);
    await ok('cc', ['-std=c11', '-fPIC', '-shared', `-I${prefix}/include`, 'ticker.c', '-o', 'ticker.so'], dir);
    assert.match(await ok('taut-modtest', ['ticker.so'], dir), /^3 passed, 0 failed$/m);
  });

  test('it says what it is before any of it runs', async () => {
    await ok('make', ['CC=gcc'], hello);
    const info = JSON.parse(await ok('taut', ['module', 'info', './hello.so', '--json'], hello));
    assert.deepEqual(
      [info.name, info.version, info.abi, info.needs, info.tables, info.hooks],
      ['hello', '0.1.0', '1.0 (needs 1.0 or newer)', ['storage/1'], ['greetings'], ['message.before_send']],
    );
    assert.deepEqual(info.methods.map((m) => [m.name, m.arguments]), [['hello.greet', 'name*, quiet']]);
    assert.deepEqual(info.options.map((o) => o.name), ['greeting', 'ending', 'never', 'limits.per_name', 'limits.pause']);
    const named = JSON.parse(await ok('taut', ['module', 'info', 'hello', '-c', 'taut.yaml', '--json'], hello));
    assert.equal(named.file, path.join(hello, 'hello.so'));
    assert.match(await ok('taut', ['module', 'list', '-c', 'hello/taut.yaml'], path.dirname(hello)), /^hello +0\.1\.0 +false +greets people$/m);
    assert.doesNotMatch(await ok('taut', ['module', 'list'], path.dirname(hello)), /^hello/m);
  });

  test('its test passes, once by itself and once for each allocation that fails; under the sanitizers too', async () => {
    const counted = (out) => Number(out.match(/^(\d+) passed, 0 failed$/m)?.[1]);
    const plain = counted(await ok('taut-modtest', ['--no-faults', 'hello.so', 'hello.test.yaml'], hello));
    assert.ok(plain >= 7, `${plain}`);
    assert.ok(counted(await ok('make', ['test'], hello)) > plain);
    assert.ok(counted(await ok('make', ['check-asan'], hello)) > plain);
    await ok('cmake', ['-B', 'build'], hello);
    await ok('cmake', ['--build', 'build'], hello);
    assert.match(await ok('ctest', ['--test-dir', 'build'], hello), /100% tests passed, 0 tests failed out of 1/);
  });

  test('the script on the page passes', async () => {
    const [script, real] = blocks(PAGE.slice(PAGE.indexOf('## Testing')), 'yaml');
    const file = path.join(newDir(), 'page.yaml');
    writeFileSync(file, script);
    assert.match(await ok('taut-modtest', [path.join(hello, 'hello.so'), file]), /^[67] passed, 0 failed$/m);
    writeFileSync(file, real);
    assert.match(await ok('taut-modtest', [path.join(hello, 'hello.so'), file]), /^ok \d+ - ada is greeted$/m);
    // every step that the page names is one, and what may stand beside it
    const rows = [...PAGE.matchAll(/^\| `(\w+): [^|]*\|([^|]*)\|/gm)].map(([, step, more]) => [step, [...more.matchAll(/`(\w+)/g)].map((m) => m[1])]);
    assert.ok(rows.length >= 18);
    const steps = rows.map(([step, more]) => `      - {${step}: x${more.map((k) => `, ${k}: x`).join('')}}`);
    writeFileSync(file, `tests:\n  - name: all\n    steps:\n${steps.join('\n')}\n`);
    assert.doesNotMatch((await run('taut-modtest', [path.join(hello, 'hello.so'), file])).err, /unknown/);
  });

  test('a test that it does not pass says where and why', async () => {
    const script = readFileSync(path.join(hello, 'hello.test.yaml'), 'utf8').replace('times: 2 }', 'times: 3 }');
    const file = path.join(newDir(), 'wrong.yaml');
    writeFileSync(file, script);
    const r = await run('taut-modtest', ['--no-faults', '--only', 'it greets', path.join(hello, 'hello.so'), file]);
    assert.equal(r.code, 1);
    assert.match(r.out, /^not ok \d+ - .*it greets, and counts/m);
    assert.match(r.out, /wrong\.yaml:14:\d+: .*expected 3, got 2/);
  });

  test('what a learner gets wrong is found by its test, and said', async () => {
    const mistakes = [
      ['taut_at_end(m, c, count_one, NULL);', 'count_one(m, NULL);', /the handler of hello\.greet changes its module.s state while it runs; use taut_at_end/],
      ['if (!m->state) return TAUT_E_NOMEM;', '', /allocation 1 of 1 failing\n#[^]* in "init and start": /],
      ['taut_free(m, m->state);', '(void)m;', /# left over: 8 bytes of memory, since init of hello/],
      ['/* reads; the handler', 'announce(m, c, taut_batch(c), name); taut_publish(m, workspace, &(struct taut_event){.size = sizeof(struct taut_event), .body = TAUT_LIT("{}")});\n/*',
        /calls taut_publish\(\) before its last read, taut_get\(\): what it causes there it causes again in each run/],
      ['if (times) taut_expect_equals', 'if (times > 1) taut_expect_equals', /a batch met a conflict too often/],
    ];
    const code = readFileSync(path.join(hello, 'hello.c'), 'utf8');
    for (const [right, wrong, words] of mistakes) {
      const dir = newDir();
      for (const f of ['Makefile', 'hello.test.yaml']) writeFileSync(path.join(dir, f), readFileSync(path.join(hello, f)));
      assert.ok(code.includes(right), right);
      writeFileSync(path.join(dir, 'hello.c'), code.replace(right, wrong));
      await ok('make', ['CFLAGS=-O1'], dir);
      const r = await run('taut-modtest', ['--only', 'it greets', ...(wrong ? ['--no-faults'] : []), 'hello.so', 'hello.test.yaml'], dir);
      assert.equal(r.code, 1, wrong);
      assert.match(r.out, words);
    }
  });

  test('errors of its options name file, line and column, all at once', async () => {
    writeFileSync(path.join(hello, 'wrong.yaml'), readFileSync(path.join(hello, 'taut.yaml'), 'utf8')
      .replace('ending: loud', 'ending: lod').replace('never: [Nobody]', 'nevr: [Nobody]').replace('per_name: 100, pause: 1s', 'per_name: 0, pause: 1'));
    let r = await run('taut', ['check', '-c', 'wrong.yaml'], hello);
    assert.equal(r.code, 1);
    assert.equal(r.err, [
      'wrong.yaml:15:15: modules.hello.ending: "lod" is not one of calm, loud; did you mean "loud"?',
      'wrong.yaml:16:7: modules.hello: unknown option "nevr"; did you mean "never"?',
      'wrong.yaml:17:27: modules.hello.limits.per_name: 0 is out of range: it must be 1 to 1000000',
      'wrong.yaml:17:37: modules.hello.limits.pause: "1" is not a duration; write it like 10ms, 5s, 2m, 1h or 7d',
      '',
    ].join('\n'));
    writeFileSync(path.join(hello, 'wrong.yaml'), readFileSync(path.join(hello, 'taut.yaml'), 'utf8').replace('greeting: Good day', 'greeting: <b>'));
    r = await run('taut', ['check', '-c', 'wrong.yaml'], hello);
    assert.equal(r.err, 'wrong.yaml:14:17: modules.hello.greeting: holds one of < > &, which mean something else in a message; leave them out\n');
  });

  test('docs/modules.md leads to a running server, to the letter', async () => {
    const ports = [await freePort(), await freePort()];
    const lines = blocks(PAGE.slice(0, PAGE.indexOf('## Life')), 'sh').join('').trim().split('\n');
    const script = lines.map((line) => {
      const more = line === 'cd hello' ? `sed -i 's/:8065/:${ports[0]}/; s/:8066/:${ports[1]}/' taut.yaml` : '';
      const said = line.replaceAll(':8065', `:${ports[0]}`)
        .replace(/^(taut workspace create .*)$/, '$1 | tee token')
        .replace(/^TOKEN=xoxp-\.\.\. .*$/, "TOKEN=$(sed -n 's/^token: //p' token)")
        .replace(/^sleep 1$/, `for i in {1..200}; do curl -s http://127.0.0.1:${ports[0]}/ >$HOME/nothing && break; sleep 0.05; done`);
      return `echo '$ ${line.replaceAll("'", "'\\''")}'\n${said}\necho "[$?]"\n${more}`;
    });
    const dir = newDir();
    const out = await ok('bash', ['-c', `exec 2>&1\n${script.join('\n')}\nwait`], dir, { HOME: dir });
    const failed = [...out.matchAll(/^\$ (.*)$[^$]*^\[([1-9]\d*)\]$/gm)].map((m) => m[1]);
    assert.deepEqual(failed, ['taut check -c taut.yaml'], out); // the one with the mistake in it
    assert.ok(out.includes(PAGE.match(/answers `(\{.*?\})`/)[1]), out);
    assert.ok(out.includes(PAGE.match(/^> (taut\.yaml:.*)$/m)[1]), out);
    assert.match(out, /^name +times$[^]*^Bob +1$/im);
    assert.match(out, /"text":"Howdy, Eve!!!"/);
    assert.doesNotMatch(out, / error | warn /i, out);

    // taken out of the configuration it leaves its rows, and nobody minds
    const config = path.join(dir, 'hello/taut.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^ {2}- hello:\n(?: {6}.*\n)+/m, ''));
    assert.equal(await ok('taut', ['check', '-c', config]), `${config}: ok: 4 modules\n`);
    assert.match(await ok('taut', ['user', 'list', '-c', config]), /ada/);
    const r = await run('taut', ['hello', 'list', '-c', config]);
    assert.equal(r.err, `taut: unknown command "hello list": the module "hello" that brings it is not enabled in ${config}\n`);
  });

  after(() => {
    if (existsSync(prefix)) rmSync(prefix, { recursive: true });
  });

  test('the package knows nothing of where it was built, and its files are all that there is to remove', async () => {
    for (const f of installed.filter((name) => /\.(pc|cmake|h|md|yml|yaml|txt|c)$|Makefile$/.test(name)))
      assert.ok(!readFileSync(f, 'utf8').includes(TOP), f);
    assert.deepEqual(files(prefix).map((f) => path.join(prefix, f)).sort(), [...new Set(installed)].sort());
  });
});
