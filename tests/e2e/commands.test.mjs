// `taut`: commands with and without a running server, and what it says when something is wrong.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { call, must, request } from './lib/http.mjs';
import { newDir, Server, sleep, TAUT, taut, writeFile } from './lib/server.mjs';

const ok = async (args) => {
  const r = await taut(args);
  assert.equal(r.code, 0, `taut ${args.join(' ')}: ${r.err}${r.out}`);
  return r.json ?? r.out;
};
const refused = async (args, words) => {
  const r = await taut(args);
  assert.notEqual(r.code, 0, `taut ${args.join(' ')} went through`);
  assert.match(r.err, words);
  assert.equal(r.out, '');
  return r;
};

describe('commands without a server', { timeout: 90_000 }, () => {
  test('make a workspace, users and tokens that the server then knows', async () => {
    const data = path.join(newDir(), 'data');
    const made = await ok(['workspace', 'create', '--name', 'Acme', '--owner', 'olga', '--data', data, '--json']);
    assert.match(made.workspace.id, /^T/);
    assert.match(made.token, /^xoxp-/);
    const { user } = await ok(['user', 'create', '--name', 'paul', '--data', data, '--json']);
    assert.match(user.id, /^U/);
    const token = await ok(['token', 'create', '--user', 'paul', '--data', data, '--json']);
    const list = await ok(['token', 'list', '--user', 'paul', '--data', data, '--json']);
    assert.deepEqual(list.tokens.map((t) => t.id), [token.id]);
    assert.ok(!JSON.stringify(list).includes(token.token));
    const workspaces = await ok(['workspace', 'list', '--data', data, '--json']);
    assert.deepEqual(workspaces.workspaces.map((w) => w.name), ['Acme']);
    const users = await ok(['user', 'list', '--data', data, '--json']);
    assert.deepEqual(users.users.map((u) => u.name).sort(), ['olga', 'paul']);
    assert.match(await ok(['user', 'list', '--data', data]), /paul/);
  });

  test('say what is wrong', async () => {
    const data = path.join(newDir(), 'data');
    await refused(['user', 'list', '--data', data], new RegExp(`taut user list: the data directory ${data} does not exist; look at --data`));
    assert.ok(!existsSync(data));
    const server = await Server.start({ data, args: ['-c', writeFile(newDir(), 'taut.yaml', 'modules: [store_sqlite, directory, conversation]')] });
    await server.stop();
    rmSync(path.join(data, 'taut.db'));
    await refused(['user', 'list', '--data', data], /there is no workspace yet; make one: taut workspace create --name NAME --owner NAME/);
    await ok(['workspace', 'create', '--name', 'Acme', '--owner', 'olga', '--data', data]);
    await refused(['user', 'create', '--name', 'olga', '--data', data], /already has a user "olga"; choose another --name/);
    await refused(['user', 'create', '--data', data], /needs --name; see: taut user create --help/);
    await refused(['user', 'create', '--nmae', 'x', '--data', data], /unknown flag --nmae; did you mean --name\?/);
    await refused(['token', 'create', '--user', 'nobody', '--data', data], /has no user with the name or id "nobody"; see: taut user list/);
    await refused(['token', 'revoke', 'Knothing', '--data', data], /Knothing/);
    await refused(['usr', 'list'], /usr.*did you mean "?user/);
  });

  test('help themselves', async () => {
    for (const args of [['--help'], ['user', '--help'], ['user', 'create', '--help'], ['demo', '--help'], ['serve', '--help']]) {
      assert.match(await ok(args), /usage: taut/);
    }
    const all = await ok(['--help']);
    for (const c of ['serve', 'check', 'module', 'version', 'demo', 'seed', 'workspace', 'user', 'token']) assert.match(all, new RegExp(`\\b${c}\\b`));
    assert.match(String(await ok(['version'])), /0\.1\.0/);
    const modules = await ok(['module', 'list', '--json']);
    assert.match(JSON.stringify(modules), /"rtm"/);
  });
});

describe('seed', { timeout: 90_000 }, () => {
  const seed = (data, n) => ['seed', '--data', data, '--users', '5', '--channels', '3', '--messages', `${n}`, '--tokens', `${data}.t`, '--channels-out', `${data}.c`, '--json'];

  test('makes as many people as it was told, one of them the owner', async () => {
    const data = path.join(newDir(), 'data');
    assert.equal((await ok(seed(data, 50))).users, 5);
    const { users } = await ok(['user', 'list', '--data', data, '--json']);
    assert.deepEqual(users.map((u) => u.name).sort(), [1, 2, 3, 4, 5].map((i) => `user00000${i}`));
    assert.deepEqual(users.filter((u) => u.owner).map((u) => u.name), ['user000001']);
    assert.equal(readFileSync(`${data}.t`, 'utf8').trim().split('\n').length, 5);
    await refused(seed(data, 50), /holds a workspace already \(seeded\); seed fills an empty store only/);
    const server = await Server.start({ data });
    for (const token of readFileSync(`${data}.t`, 'utf8').trim().split('\n')) await must(server, 'auth.test', token);
    await server.stop();
  });

  test('that was interrupted leaves a store that nobody takes for a whole one', async () => {
    const data = path.join(newDir(), 'data');
    const child = spawn(TAUT, seed(data, 3_000_000), { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await new Promise((resolve) => child.stderr.once('data', resolve)); // its first progress
    child.kill('SIGKILL');
    await ended;
    const words = new RegExp(`the seed that filled ${data} was interrupted; remove that directory, then seed again`);
    await refused(['demo', '--data', data, '--listen', '127.0.0.1:0'], words);
    await refused(seed(data, 50), words);
  });
});

describe('demo', { timeout: 60_000 }, () => {
  test('says that earlier tokens live on when it had to make new ones', async () => {
    const server = await Server.start();
    const earlier = server.user('ada').token;
    await server.stop();
    writeFileSync(path.join(server.data, 'demo.json'), '{');
    await server.up();
    assert.notEqual(server.user('ada').token, earlier);
    for (let i = 0; i < 100 && !server.log.includes('tokens_replaced'); i++) await sleep(20); // the log has a thread of its own
    assert.match(server.log, /demo tokens_replaced: .*the old ones stay valid until they are revoked/);
    await must(server, 'auth.test', earlier);
    await server.stop();
  });
});

describe('a server with several gateways', { timeout: 60_000 }, () => {
  test('waits for clients that read nothing once, not once a gateway', async () => {
    const server = new Server({ args: ['-c', writeFile(newDir(), 'taut.yaml', 'server: { gateways: 4 }\nmodules: [store_sqlite, directory, conversation, rtm]\n')] });
    await server.up();
    const { token } = server.user('ada');
    const channel = server.channel('general');
    for (let i = 0; i < 20; i++) await must(server, 'chat.postMessage', token, { channel, text: 'x'.repeat(39_000) });
    const history = `GET /api/conversations.history?channel=${channel}&limit=20 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const idle = Array.from({ length: 24 }, () => net.connect(server.port, '127.0.0.1').on('error', () => {}).pause());
    for (const socket of idle) socket.write(history.repeat(8));
    await new Promise((resolve) => setTimeout(resolve, 1000)); // until their kernel buffers are full
    const begin = Date.now();
    await server.stop();
    const seconds = (Date.now() - begin) / 1000;
    for (const socket of idle) socket.destroy();
    assert.ok(seconds > 4 && seconds < 9, `${seconds} s`);
  });
});

describe('commands with a running server', { timeout: 90_000 }, () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.stop());

  test('go through its control socket, and take effect at once', async () => {
    assert.equal(statSync(path.join(server.data, 'control.sock')).mode & 0o777, 0o600);
    const { user } = await ok(['user', 'create', '--name', 'nina', '--data', server.data, '--json']);
    const { id, token } = await ok(['token', 'create', '--user', 'nina', '--data', server.data, '--json']);
    assert.equal((await must(server, 'auth.test', token)).user_id, user.id);
    const general = server.channel('general');
    assert.equal((await call(server, 'chat.postMessage', token, { channel: general, text: 'new here' })).ok, true);
    await ok(['token', 'revoke', id, '--data', server.data]);
    assert.deepEqual(await call(server, 'auth.test', token), { ok: false, error: 'token_revoked' });
    const again = await ok(['token', 'create', '--user', 'nina', '--data', server.data, '--json']);
    await ok(['user', 'deactivate', 'nina', '--data', server.data]);
    assert.deepEqual(await call(server, 'auth.test', again.token), { ok: false, error: 'account_inactive' });
  });

  test('that start a second server on the same data are refused', async () => {
    await refused(
      ['demo', '--data', server.data, '--listen', '127.0.0.1:0'],
      new RegExp(`${server.data}.*process ${server.child.pid}`),
    );
    assert.equal((await call(server, 'api.test')).ok, true);
  });

  test('that want the port of another are refused, and say whose it is', async () => {
    await refused(['demo', '--data', newDir(), '--listen', `127.0.0.1:${server.port}`], new RegExp(`127\\.0\\.0\\.1:${server.port}: address already in use`));
  });

  test('that would open the server to other machines need to say so', async () => {
    await refused(['demo', '--data', newDir(), '--listen', '0.0.0.0:0'], /--allow-remote/);
  });

  test('metrics are on the admin address only', async () => {
    const admin = { url: server.admin_url };
    const { status, text } = await request(admin, { method: 'GET', path: '/metrics' });
    assert.equal(status, 200);
    assert.match(text, /^taut_mod_rtm_tickets_total \d+$/m);
    assert.match(text, /^# HELP taut_gateway_lags Times that a connection began to lag\.$/m);
    assert.equal((await request(server, { method: 'GET', path: '/metrics' })).status, 404);
  });
});

describe('the configuration', { timeout: 60_000 }, () => {
  const check = (yaml) => taut(['check', '-c', writeFile(newDir(), 'taut.yaml', yaml)]);
  const whole = (modules) => `server: { data: ${newDir()} }\nmodules:\n${modules}`;

  test('is printed by demo as it would run, and passes its own check', async () => {
    const yaml = await ok(['demo', '--data', newDir(), '--listen', '127.0.0.1:0', '--print-config']);
    assert.match(yaml, /^modules:\n(  - .*\n)+$/m);
    for (const m of ['store_sqlite', 'directory', 'conversation', 'rtm']) assert.match(yaml, new RegExp(`^  - ${m}`, 'm'));
    const r = await check(yaml);
    assert.equal(r.code, 0, r.err);
  });

  test('need not list the module of a command that serves', async () => {
    const file = writeFile(newDir(), 'taut.yaml', 'server: { data: kept }\nmodules:\n  - store_sqlite: { sync: full }\n  - directory\n  - conversation\n  - rtm\n');
    const yaml = await ok(['demo', '-c', file, '--listen', '127.0.0.1:0', '--print-config']);
    assert.match(yaml, /^  - rtm\n  - demo\n/m);
    assert.ok(yaml.includes(`  data: ${path.dirname(file)}/kept\n`));
    const server = new Server({ data: path.join(newDir(), 'data'), args: ['-c', file] });
    await server.up();
    await must(server, 'auth.test', server.user('ada').token);
    await server.stop();
  });

  test('with an unknown module, option or value is refused at its line and column, all errors at once', async () => {
    const r = await check(whole('  - store_sqlite: { sync: ful }\n  - directory\n  - conversatoin\n  - rtm: { tiket_lifetime: 3s }\n'));
    assert.notEqual(r.code, 0);
    const file = path.dirname(r.err.split(':')[0]);
    const said = r.err.replaceAll(`${file}/`, '').replace(/ \(modules are looked for in .*\)/, '');
    assert.equal(
      said,
      'taut.yaml:3:27: modules.store_sqlite.sync: "ful" is not one of off, normal, full; did you mean "full"?\n' +
        'taut.yaml:5:5: modules: there is no module "conversatoin"; did you mean "conversation"?\n' +
        'taut.yaml:6:12: modules.rtm: unknown option "tiket_lifetime"; did you mean "ticket_lifetime"?\n',
    );
  });

  test('that lacks what a module needs is refused', async () => {
    const r = await check(whole('  - store_sqlite\n  - rtm\n'));
    assert.notEqual(r.code, 0);
    assert.match(r.err, /rtm.*needs.*conversation\/1/);
  });

  test('that is no YAML, or is not there, is refused', async () => {
    const r = await check('server: { listen: ');
    assert.notEqual(r.code, 0);
    assert.match(r.err, /taut\.yaml:\d+:\d+: /);
    await refused(['check', '-c', '/nonexistent/taut.yaml'], /\/nonexistent\/taut\.yaml: .*[Nn]o such file/);
  });
});
