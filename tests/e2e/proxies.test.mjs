// The server behind proxies: whom it believes, the prefix of its paths, and the nginx configuration of the manual.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import WebSocket from 'ws';

import { bearer, call, metric, must, request } from './lib/http.mjs';
import { withServerOptions } from './lib/options.mjs';
import { newDir, Server, sleep, writeFile } from './lib/server.mjs';
import { Authority, secureRequest } from './lib/tls.mjs';

const TOP = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');

// Opens a socket; gives it when it is open, else the HTTP answer.
const open = (url, options) =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options);
    ws.on('open', () => resolve({ ws }));
    ws.on('unexpected-response', (_, res) => {
      let text = '';
      res.on('data', (d) => (text += d));
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
    });
    ws.on('error', reject);
  });
const closed = ({ ws }) =>
  new Promise((resolve) => {
    ws.on('close', resolve);
    ws.close();
  });
const freePort = () =>
  new Promise((resolve) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });

describe('behind trusted proxies', { timeout: 60_000 }, () => {
  let server;
  before(async () => {
    const file = await withServerOptions(
      '  trusted_proxies: [127.0.0.1, 10.0.0.0/8]\n  limit_exempt: []\n  max_connections_per_address: 2',
    );
    server = await Server.start({ args: ['--config', file] });
  });
  after(() => server.stop());

  const ticket = async () => (await must(server, 'rtm.connect', server.users[0].token)).url;
  const from = (who) => ({ headers: { 'X-Forwarded-For': who } });

  test('each client has sockets of its own to use up, and the proxy has no limit', async () => {
    const sockets = [];
    for (const who of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2']) {
      const got = await open(await ticket(), from(who));
      assert.ok(got.ws, `${who}: ${got.status} ${got.text}`);
      sockets.push(got);
    }
    const refused = await open(await ticket(), from('192.0.2.1'));
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '5');
    assert.deepEqual(JSON.parse(refused.text), {
      ok: false,
      error: 'ratelimited',
      message: 'your address has, or opens, more connections than it may; try again',
    });
    await closed(sockets.shift());
    await sleep(50);
    const again = await open(await ticket(), from('192.0.2.1'));
    assert.ok(again.ws);
    for (const s of [again, ...sockets]) await closed(s);
    assert.equal(await metric(server, 'refused_address_total'), 1);
  });

  test('what a client writes itself before the proxy adds its address helps it nothing', async () => {
    const sockets = [];
    for (const forged of ['1.1.1.1', '2.2.2.2']) sockets.push(await open(await ticket(), from(`${forged}, 192.0.2.3`)));
    assert.equal((await open(await ticket(), from('3.3.3.3, 192.0.2.3'))).status, 429);
    assert.equal((await open(await ticket(), from('192.0.2.3, 10.1.2.3'))).status, 429);
    for (const s of sockets) await closed(s);
  });

  test('an IPv6 network of 64 bits is one client', async () => {
    const sockets = [];
    for (const who of ['2001:db8:0:1::1', '2001:db8:0:1::2']) sockets.push(await open(await ticket(), from(who)));
    assert.equal((await open(await ticket(), from('2001:db8:0:1:ffff::3'))).status, 429);
    const neighbour = await open(await ticket(), from('2001:db8:0:2::1'));
    assert.ok(neighbour.ws);
    for (const s of [...sockets, neighbour]) await closed(s);
  });
});

describe('below a path', { timeout: 60_000 }, () => {
  let server, token;
  before(async () => {
    server = await Server.start({ args: ['--public-url', 'https://example.org/chat/'] });
    token = server.users[0].token;
    // public_url hides where it listens.
    server.local_port = await listeningPort(server.child.pid);
  });
  after(() => server.stop());

  const local = () => ({ url: `http://127.0.0.1:${server.local_port}` });
  const get = (where) => request(local(), { method: 'GET', path: where, headers: bearer(token) });

  test('requests are served with the prefix, and without it', async () => {
    for (const prefix of ['/chat', '']) {
      assert.equal((await get(`${prefix}/api/auth.test`)).json.ok, true);
      assert.equal((await get(`${prefix}/`)).status, 200);
    }
    assert.equal((await get('/chat')).status, 200);
    assert.equal((await get('/chatter/api/auth.test')).status, 404);
  });

  test('all addresses that are handed out have it', async () => {
    const { json } = await get('/chat/api/rtm.connect');
    assert.match(json.url, /^wss:\/\/example\.org\/chat\/rtm\//);
    assert.match((await get('/api/auth.test')).json.url, /^https:\/\/example\.org\/chat\/?$/);
    const ws = await open(json.url.replace('wss://example.org', `ws://127.0.0.1:${server.local_port}`));
    assert.ok(ws.ws, `${ws.status} ${ws.text}`);
    await closed(ws);
  });
});

// The public listener among the ports that a process listens on: the one that answers /api/.
async function listeningPort(pid) {
  const sockets = new Set();
  for (const fd of spawnSync('ls', ['-l', `/proc/${pid}/fd`], { encoding: 'utf8' }).stdout.split('\n')) {
    const inode = /socket:\[(\d+)\]/.exec(fd);
    if (inode) sockets.add(inode[1]);
  }
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, at, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== '0A' || !sockets.has(inode)) continue;
    const port = parseInt(at.split(':')[1], 16);
    const { status } = await request({ url: `http://127.0.0.1:${port}` }, { method: 'GET', path: '/api/api.test' });
    if (status === 200) return port;
  }
  throw new Error('it listens nowhere');
}

describe("the manual's nginx configuration", { timeout: 60_000 }, () => {
  let server, nginx, front, authority;
  before(async () => {
    const dir = newDir();
    authority = new Authority();
    const { cert, key } = authority.issue('front');
    const port = await freePort();
    front = { url: `https://127.0.0.1:${port}/chat`, ca: authority.pem };
    const file = await withServerOptions('  trusted_proxies: [127.0.0.1]\n  limit_exempt: []\n  max_connections_per_address: 2');
    server = await Server.start({ args: ['--config', file, '--public-url', front.url] });
    const behind = await listeningPort(server.child.pid);
    const manual = readFileSync(path.join(TOP, 'docs/operations.md'), 'utf8');
    const [, block] = /```nginx\n([\s\S]*?)```/.exec(manual);
    const text = block
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replace('listen [::]:443 ssl;', '')
      .replace(/ssl_certificate .*;/, `ssl_certificate ${cert};`)
      .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`)
      .replaceAll('127.0.0.1:8065', `127.0.0.1:${behind}`);
    assert.match(text, new RegExp(`127.0.0.1:${behind}`));
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((t) => `${t}_temp_path ${dir}/${t};`).join('\n');
    const conf = writeFile(
      dir,
      'nginx.conf',
      `daemon off; pid ${dir}/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${text}\n}\n`,
    );
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }; // where it is for root only
    nginx = spawn('nginx', ['-c', conf, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'], env });
    nginx.log = '';
    nginx.stderr.on('data', (d) => (nginx.log += d));
    for (let i = 0; i < 100; i++) {
      const up = await secureRequest(front, { path: '/chat/api/api.test' }).catch(() => undefined);
      if (up?.status === 200) return;
      await sleep(50);
    }
    assert.fail(nginx.log);
  });
  after(async () => {
    nginx?.kill('SIGTERM');
    await server?.stop();
  });

  const api = (method, token) => secureRequest(front, { path: `/chat/api/${method}`, headers: bearer(token) });

  test('methods and sockets pass through it', async () => {
    const { token } = server.users[0];
    assert.equal((await api('auth.test', token)).json.ok, true, nginx.log);
    const { json } = await api('rtm.connect', token);
    assert.ok(json.url.startsWith(front.url.replace('https', 'wss')), json.url);
    const { ws, status, text } = await open(json.url, { ca: authority.pem });
    assert.ok(ws, `${status} ${text} ${nginx.log}`);
    const got = new Promise((resolve) => ws.on('message', (d) => JSON.parse(d).type === 'message' && resolve(JSON.parse(d))));
    const other = { url: `http://127.0.0.1:${await listeningPort(server.child.pid)}` };
    await call(other, 'chat.postMessage', server.users[1].token, { channel: server.channel('general'), text: 'through' });
    assert.equal((await got).text, 'through');
    await closed({ ws });
  });

  test('clients behind it are counted by their own address', async () => {
    const { token } = server.users[0];
    const from_there = (n) => ({ ca: authority.pem, localAddress: '127.0.0.2', headers: { 'X-Forwarded-For': `1.1.1.${n}` } });
    const sockets = [];
    for (let i = 0; i < 3; i++) sockets.push(await open((await api('rtm.connect', token)).json.url, from_there(i)));
    assert.equal(sockets.pop().status, 429);
    assert.ok(sockets.every((s) => s.ws), JSON.stringify(sockets.map((s) => s.status)));
    for (const s of sockets) await closed(s);
  });
});
