// What an operator is told when the server cannot have what it needs, and what the control socket does with those who
// do not speak as `taut` does.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { newDir, Server, sleep, TAUT, taut, within, writeFile } from './lib/server.mjs';

const MODULES = 'modules: [store_sqlite, directory, conversation]\n';

// A configuration of its own; more: members of server:.
function configuration({ data = path.join(newDir(), 'data'), more = '' } = {}) {
  const file = writeFile(newDir(), 'taut.yaml', `server: { listen: 127.0.0.1:0, data: ${data}${more} }\nadmin: { listen: 127.0.0.1:0 }\n${MODULES}`);
  return { file, data };
}

const asNobody = (args) => spawnSync(TAUT, args, { uid: 65534, gid: 65534, encoding: 'utf8', timeout: 20_000 });

async function refusesToServe(file, words) {
  const r = await within(taut(['serve', '-c', file]), 60_000, 'the end of taut serve');
  assert.equal(r.code, 1, r.err);
  assert.match(r.err, words);
  assert.equal(r.out, '');
}

describe('a server that cannot have what it needs says so and ends', { timeout: 90_000 }, () => {
  test('a log file that cannot be opened', async () => {
    const { file } = configuration({ more: ', log_file: /nonexistent/taut.log' });
    await refusesToServe(file, /^\S+taut\.yaml:1:\d+: server\.log_file: its folder \/nonexistent: No such file or directory\n$/);
    const taken = configuration({ more: ', log_file: /tmp' });
    await refusesToServe(taken.file, /^\S+taut\.yaml:1:\d+: server\.log_file: \/tmp is a folder; name a file in it\n$/);
  });

  test('a place for uploads that is none', async () => {
    const { file, data } = configuration();
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(path.join(data, 'tmp'), '');
    await refusesToServe(file, /^taut serve: .*\/data\/tmp: uploads cannot be kept there: Not a directory; look at its owner and mode\n/m);
  });

  test('a control socket whose place is taken', async () => {
    const { file, data } = configuration();
    mkdirSync(path.join(data, 'control.sock', 'x'), { recursive: true, mode: 0o700 });
    await refusesToServe(file, /^taut serve: the control socket .*\/data\/control\.sock could not be made: Is a directory\n/m);
  });

  test('a lock that is no file', async () => {
    const link = configuration();
    mkdirSync(link.data, { mode: 0o700 });
    symlinkSync('elsewhere', path.join(link.data, 'lock'));
    await refusesToServe(link.file, /^taut serve: the data directory (\S+) cannot be used: \1\/lock is a link; remove it, it is to be a file that Taut makes itself\n$/);
    const folder = configuration();
    mkdirSync(path.join(folder.data, 'lock'), { recursive: true, mode: 0o700 });
    await refusesToServe(folder.file, /^taut serve: the data directory (\S+) cannot be used: \1\/lock is a folder; /);
  });

  test('a data directory below a folder of somebody else', { skip: process.getuid() !== 0 }, async () => {
    const above = newDir();
    chmodSync(above, 0o700);
    const open = configuration();
    chmodSync(path.dirname(open.file), 0o755);
    const r = await asNobody(['serve', '-c', open.file, '--data', path.join(above, 'a', 'b')]);
    assert.equal(r.status, 1);
    assert.match(r.stderr, new RegExp(`^taut serve: the data directory ${above}/a/b cannot be used: Permission denied; ${above} belongs to user 0 and has mode 0700, and this is user 65534\n$`));
  });
});

describe('the control socket', { timeout: 90_000 }, () => {
  let server;
  let socket;
  before(async () => {
    server = await Server.start();
    socket = path.join(server.data, 'control.sock');
  });
  after(() => server.stop());

  // A connection that collects the lines of its answers.
  function connect() {
    const c = { lines: [] };
    let rest = '';
    c.socket = net.connect(socket);
    c.socket.on('error', () => {});
    c.ended = new Promise((resolve) => c.socket.on('close', resolve));
    c.socket.on('data', (d) => {
      const parts = (rest + d).split('\n');
      rest = parts.pop();
      c.lines.push(...parts.map((l) => JSON.parse(l)));
    });
    return c;
  }
  async function answers(c, n) {
    for (let i = 0; i < 500 && c.lines.length < n; i++) await sleep(10);
    assert.equal(c.lines.length, n, JSON.stringify(c.lines));
    return c.lines;
  }

  test('answers what is no request with what is wrong, and goes on', async () => {
    const c = connect();
    const asks = [
      '{"command":',
      '[]',
      '{}',
      '{"command":"no such"}',
      '{"command":"restore","args":{"file":"x"}}',
      '{"command":"hooks","args":{"piont":"x"}}',
      '{"command":"hooks","args":{"point":7}}',
      '{"command":"user create"}',
    ];
    c.socket.write(asks.map((a) => `${a}\n`).join(''));
    const said = (await answers(c, asks.length)).map((l) => [l.done, l.error, l.message]);
    assert.deepEqual(said.map(([done, error]) => [done, error]), [
      [true, 'invalid_json'],
      [true, 'invalid_json'],
      [true, 'unknown_command'],
      [true, 'unknown_command'],
      [true, 'server_running'],
      [true, 'invalid_arguments'],
      [true, 'no_hooks'],
      [true, 'invalid_arguments'],
    ]);
    assert.equal(said[1][2], 'not an object');
    assert.equal(said[5][2], 'there is an argument that the command does not have');
    assert.equal(said[6][2], 'no module has a function at "7"; all points: taut hooks');
    assert.equal(said[7][2], 'needs name');
    c.socket.end();
    await c.ended;
  });

  test('ends the connection of a line that does not end', async () => {
    const c = connect();
    c.socket.write(Buffer.alloc((1 << 20) + 100_000, 'x'));
    await within(c.ended, 20_000, 'the end of the connection');
    assert.deepEqual(c.lines, []);
  });

  test('ends the connection of one who asks and does not read, and keeps none of it', async () => {
    const c = connect();
    c.socket.pause();
    for (let i = 0; i < 400 && !c.socket.destroyed; i++) {
      c.socket.write('{"command":"status"}\n'.repeat(20));
      await sleep(50);
    }
    assert.ok(c.socket.destroyed, 'the connection is still there');
    assert.equal((await taut(['status', '--data', server.data, '--json'])).code, 0);
  });

  test('takes sixteen at a time', async () => {
    const all = [];
    for (let i = 0; i < 16; i++) {
      all.push(connect());
      all[i].socket.write('{}\n');
      await answers(all[i], 1);
    }
    const late = connect();
    await within(late.ended, 20_000, 'the end of the connection');
    for (const c of all) c.socket.end();
    await Promise.all(all.map((c) => c.ended));
    for (let i = 0; i < 100 && (await taut(['status', '--data', server.data])).code; i++) await sleep(20);
    assert.equal((await taut(['status', '--data', server.data])).code, 0);
  });
});

describe('a command', { timeout: 90_000 }, () => {
  test('whose server goes away before it answers says that the outcome is unknown', async () => {
    const server = await Server.start();
    server.child.kill('SIGSTOP');
    const asked = taut(['user', 'create', '--name', 'nina', '--data', server.data]);
    await sleep(1000);
    server.child.kill('SIGKILL');
    const r = await within(asked, 20_000, 'the end of the command');
    assert.equal(r.code, 1);
    assert.equal(r.err, 'taut user create: the server went away before it answered: it is unknown whether this happened\n');
    await server.exited;
  });

  test('that may not look into the data directory does not say that no server runs', { skip: process.getuid() !== 0 }, async () => {
    const server = await Server.start();
    for (const name of ['status', 'reload']) {
      const r = asNobody([name, '--data', server.data]);
      assert.equal(r.status, 1);
      assert.equal(r.stderr, `taut ${name}: whether a server runs on the data directory ${server.data} cannot be seen: Permission denied; run this as root, or as the user that the server runs as\n`);
    }
    await server.stop();
  });

  test('status does not wait for a server that does not turn', async () => {
    const server = await Server.start();
    server.child.kill('SIGSTOP');
    const r = await within(taut(['status', '--data', server.data]), 20_000, 'the end of taut status');
    server.child.kill('SIGCONT');
    assert.equal(r.code, 1);
    assert.equal(r.err, 'taut status: the server did not answer within 5 s: its hub hangs, or the process is stopped; ask /healthz at its admin address, and look at its log\n');
    await server.stop();
  });

  test('that finds the directory in use and nobody who answers names the process', async () => {
    const server = await Server.start();
    rmSync(path.join(server.data, 'control.sock'));
    const r = await taut(['user', 'list', '--data', server.data]);
    assert.equal(r.code, 1);
    assert.equal(r.err, `taut user list: process ${server.child.pid} uses ${server.data}, but its control socket is not there: it is just starting, or the socket was removed; try again in a moment, else restart it\n`);
    const status = await taut(['status', '--data', server.data]);
    assert.equal(status.code, 1);
    assert.equal(status.err, `taut status: process ${server.child.pid} uses ${server.data}, but its control socket is not there: it is just starting, or the socket was removed; try again in a moment, else restart it\n`);
    const restore = await taut(['restore', '/nonexistent.db', '--data', server.data]);
    assert.equal(restore.code, 1);
    assert.equal(restore.err, `taut restore: needs the store to itself, but process ${server.child.pid} is using ${server.data}; stop it first\n`);
    await server.stop();
  });
});
