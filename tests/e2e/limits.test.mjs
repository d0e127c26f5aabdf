// Limits per address, and what browsers may: connections refused, origins, CORS, the admin address.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';

import WebSocket from 'ws';

import { bearer, metric, must, raw, request } from './lib/http.mjs';
import { withServerOptions } from './lib/options.mjs';
import { Person } from './lib/people.mjs';
import { Server, sleep, taut } from './lib/server.mjs';
import { Authority, secureRequest, startTls } from './lib/tls.mjs';

const withOptions = async (lines) => Server.start({ args: ['--config', await withServerOptions(lines)] });

// From an address of this machine that nobody else has: { text, ended }, what came until the server closed.
const visit = (server, address, bytes = '') =>
  new Promise((resolve) => {
    const socket = net.connect({ port: server.port, host: '127.0.0.1', localAddress: address });
    let text = '';
    socket.on('connect', () => bytes && socket.write(bytes));
    socket.on('data', (d) => (text += d));
    socket.on('error', () => {});
    socket.on('close', () => resolve({ text }));
    setTimeout(() => socket.destroy(), 5_000).unref();
  });
const stay = (server, address) =>
  new Promise((resolve, reject) => {
    const socket = net.connect({ port: server.port, host: '127.0.0.1', localAddress: address }, () => resolve(socket));
    socket.on('error', reject);
  });
const PING = 'GET /api/api.test HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

describe('limits per address', { timeout: 60_000 }, () => {
  let server;
  before(async () => {
    server = await withOptions(
      '  limit_exempt: [127.0.0.1]\n  max_connections_per_address: 3\n  max_connects_per_second_per_address: 2',
    );
  });
  after(() => server.stop());

  test('one address too many is told so in words, the others are served, and a place that is left is free', async () => {
    const open = [];
    for (let i = 0; i < 3; i++) open.push(await stay(server, '127.0.0.10'));
    await sleep(50);
    const { text } = await visit(server, '127.0.0.10');
    assert.match(text, /^HTTP\/1\.1 429 Too Many Requests\r\n/);
    assert.match(text, /\r\nRetry-After: 5\r\n/);
    assert.deepEqual(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)), {
      ok: false,
      error: 'ratelimited',
      message: 'your address has as many connections as it may have; close some, or try again',
    });
    assert.match((await visit(server, '127.0.0.11', PING)).text, /^HTTP\/1\.1 200 OK/);
    open.pop().destroy();
    await sleep(50);
    assert.match((await visit(server, '127.0.0.10', PING)).text, /^HTTP\/1\.1 200 OK/);
    for (const s of open) s.destroy();
  });

  test('an address that connects faster than it may has a burst, then waits', async () => {
    for (let i = 0; i < 20; i++) assert.match((await visit(server, '127.0.0.12', PING)).text, /200 OK/, `the ${i}th`);
    const { text } = await visit(server, '127.0.0.12', PING);
    assert.match(text, /^HTTP\/1\.1 429 /);
    assert.match(text, /your address opens connections faster than it may; try again/);
    await sleep(600);
    assert.match((await visit(server, '127.0.0.12', PING)).text, /200 OK/);
  });

  test('an exempt address has no limit, and refusals are counted and logged with their address', async () => {
    const open = await Promise.all(Array.from({ length: 40 }, () => stay(server, '127.0.0.1')));
    assert.equal((await request(server, { path: '/api/api.test' })).status, 200);
    for (const s of open) s.destroy();
    assert.equal(await metric(server, 'refused_address_total'), 2);
    assert.match(server.log, /gateway address_limit: refused 127\.0\.0\.10: your address has as many/);
  });

  test('a WebSocket keeps its place until it closes', async () => {
    const token = server.users[0].token;
    const urls = [];
    for (let i = 0; i < 4; i++) urls.push((await must(server, 'rtm.connect', token)).url);
    const open = (url) =>
      new Promise((resolve) => {
        const ws = new WebSocket(url, { localAddress: '127.0.0.13' });
        ws.on('open', () => resolve(ws));
        ws.on('error', (e) => resolve(e));
      });
    const sockets = [];
    for (let i = 0; i < 3; i++) sockets.push(await open(urls[i]));
    assert.ok(sockets.every((s) => s instanceof WebSocket));
    assert.match(String(await open(urls[3])), /429/);
    await new Promise((resolve) => sockets[0].on('close', resolve).close());
    await sleep(50);
    assert.ok((await open(urls[3])) instanceof WebSocket);
  });
});

describe('limits per address with TLS', { timeout: 60_000 }, () => {
  test('who is over the limit is closed before the handshake', async () => {
    const authority = new Authority();
    const server = await startTls(authority, authority.issue('limited'), '  limit_exempt: [127.0.0.1]\n  max_connections_per_address: 2');
    const open = [await stay(server, '127.0.0.20'), await stay(server, '127.0.0.20')];
    await sleep(50);
    assert.deepEqual(await visit(server, '127.0.0.20'), { text: '' });
    assert.equal((await secureRequest(server, { path: '/api/api.test' })).json.ok, true);
    assert.equal(await metric(server, 'refused_address_total'), 1);
    for (const s of open) s.destroy();
    await server.stop();
  });
});

describe('browsers', { timeout: 60_000 }, () => {
  let server, token;
  before(async () => {
    server = await withOptions('  allowed_origins: [https://intranet.example.org]');
    token = server.users[0].token;
  });
  after(() => server.stop());

  const own = () => new URL(server.url).origin;
  const open = async (origin) => {
    const { url } = await must(server, 'rtm.connect', token);
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(url, { ...(origin === undefined ? {} : { origin }) });
      ws.on('open', () => {
        ws.terminate();
        resolve(101);
      });
      ws.on('unexpected-response', (_, res) => {
        let text = '';
        res.on('data', (d) => (text += d));
        res.on('end', () => resolve({ status: res.statusCode, json: JSON.parse(text) }));
      });
      ws.on('error', reject);
    });
  };

  test("a socket is opened for the server's own pages, for those that are listed, and for programs", async () => {
    const localhost = own().replace('127.0.0.1', 'localhost');
    // undefined: Slack's SDKs for Node.js and Python; the own origin: Python's websocket-client; the last: Slack's for Go.
    for (const origin of [undefined, own(), localhost, 'https://intranet.example.org', 'https://api.slack.com'])
      assert.equal(await open(origin), 101, origin);
    const person = await Person.connect(server, server.users[0]);
    assert.ok(person.rtm.connected ?? true);
  });

  test('a page from elsewhere gets 403 and a reason', async () => {
    for (const origin of ['https://evil.example', 'null', `${own()}.evil.example`, 'https://intranet.example.org:8443', own().replace('http', 'https')]) {
      const refused = await open(origin);
      assert.equal(refused.status, 403, origin);
      assert.deepEqual(refused.json, {
        ok: false,
        error: 'forbidden',
        message: 'pages of this origin may not use this server; see server.allowed_origins',
      });
    }
    assert.equal(await metric(server, 'refused_origin_total'), 5);
  });

  test('answers of /api may be read by the same pages', async () => {
    const ask = (origin, method = 'auth.test') =>
      request(server, { path: `/api/${method}`, headers: { ...bearer(token), origin } });
    for (const origin of [own(), 'https://intranet.example.org']) {
      const { headers, json } = await ask(origin);
      assert.equal(json.ok, true);
      assert.equal(headers['access-control-allow-origin'], origin);
      assert.equal(headers.vary, 'Origin');
    }
    assert.equal((await ask(own(), 'no.such.method')).headers['access-control-allow-origin'], own());
    assert.equal((await ask('https://evil.example')).headers['access-control-allow-origin'], undefined);
    const none = await request(server, { path: '/api/auth.test', headers: bearer(token) });
    assert.equal(none.headers['access-control-allow-origin'], undefined);
  });

  test('a preflight is answered', async () => {
    const ask = (origin) =>
      request(server, {
        method: 'OPTIONS',
        path: '/api/chat.postMessage',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
      });
    const yes = await ask('https://intranet.example.org');
    assert.equal(yes.status, 204);
    assert.equal(yes.headers['access-control-allow-origin'], 'https://intranet.example.org');
    assert.equal(yes.headers['access-control-allow-methods'], 'GET, POST');
    assert.equal(yes.headers['access-control-allow-headers'], 'Authorization, Content-Type');
    assert.equal((await ask('https://evil.example')).status, 403);
  });

  test('a star lets all pages in', async () => {
    const star = await withOptions('  allowed_origins: ["*"]');
    const { url } = await must(star, 'rtm.connect', star.users[0].token);
    const ws = new WebSocket(url, { origin: 'https://anybody.example' });
    await new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject));
    ws.terminate();
    const { headers } = await request(star, { path: '/api/api.test', headers: { origin: 'https://anybody.example' } });
    assert.equal(headers['access-control-allow-origin'], '*');
    await star.stop();
  });

  test('the admin address answers to addresses and localhost, not to names that a page could have brought', async () => {
    const { port } = new URL(server.admin_url);
    const ask = (host) => raw({ port }, `GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]', '10.1.2.3'])
      assert.match(await ask(host), /^HTTP\/1\.1 200 OK/, host);
    for (const host of ['evil.example', `localhost.evil.example:${port}`]) assert.match(await ask(host), /^HTTP\/1\.1 403 /, host);
  });
});

describe('taut check', { timeout: 60_000 }, () => {
  test('what is no origin or network is said at its place, with how to write it', async () => {
    const file = await withServerOptions('  allowed_origins: [chat.example.org]\n  trusted_proxies: [proxy]');
    const { code, err } = await taut(['check', '-c', file]);
    assert.notEqual(code, 0);
    assert.match(err, /taut\.yaml:3:\d+: server\.trusted_proxies/);
    const origins = await taut(['check', '-c', await withServerOptions('  allowed_origins: [chat.example.org]')]);
    assert.match(
      origins.err,
      /taut\.yaml:2:\d+: server\.allowed_origins: "chat\.example\.org" is not an origin; write it like https:\/\/chat\.example\.org, without a path, or \* for all pages/,
    );
  });

  test('a reload changes limits and origins of the running server', async () => {
    const file = await withServerOptions('  allowed_origins: [https://one.example]');
    const server = await Server.start({ args: ['--config', file] });
    const may = async (origin) =>
      (await request(server, { path: '/api/api.test', headers: { origin } })).headers['access-control-allow-origin'] === origin;
    assert.deepEqual([await may('https://one.example'), await may('https://two.example')], [true, false]);
    const { readFileSync, writeFileSync } = await import('node:fs');
    writeFileSync(file, readFileSync(file, 'utf8').replace('one.example', 'two.example'));
    const reload = await taut(['reload', '--data', server.data]);
    assert.equal(reload.code, 0, reload.err);
    assert.match(reload.out, /applied: server\.allowed_origins/);
    assert.deepEqual([await may('https://one.example'), await may('https://two.example')], [false, true]);
    await server.stop();
  });
});
