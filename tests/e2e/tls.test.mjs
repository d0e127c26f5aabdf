// Clients that speak TLS with the server itself: SDKs, curl, openssl; slow and broken ones; a certificate that changes.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';

import WebSocket from 'ws';

import { bearer, metric, raw } from './lib/http.mjs';
import { withServerOptions } from './lib/options.mjs';
import { Person } from './lib/people.mjs';
import { newDir, sleep, taut, within } from './lib/server.mjs';
import { Authority, secureRequest, secureSocket, startTls } from './lib/tls.mjs';

// The program's exit code and all that it wrote.
const run = (program, args, input = '', env = process.env) =>
  new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 20_000, encoding: 'latin1', env }, (e, out, err) =>
      resolve({ code: e ? (e.code ?? -1) : 0, out, err }),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });

describe('TLS', { timeout: 120_000 }, () => {
  let authority, server, pair, general;
  before(async () => {
    authority = new Authority();
    const first = authority.issue('first');
    // What the configuration names is replaced by later tests.
    pair = { cert: path.join(authority.dir, 'server.crt'), key: path.join(authority.dir, 'server.key') };
    copyFileSync(first.cert, pair.cert);
    copyFileSync(first.key, pair.key);
    server = await startTls(authority, pair, '  header_timeout: 1s\n  max_connections: 500');
    general = server.channel('general');
  });
  after(() => server.stop());

  const token = () => server.users[0].token;
  const served = async () => {
    const socket = await secureSocket(server);
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  const answers = async () => assert.equal((await secureRequest(server, { path: '/api/api.test' })).json.ok, true);

  test('the addresses that clients are told are https and wss', async () => {
    assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+/);
    const { json } = await secureRequest(server, { path: '/api/rtm.connect', headers: bearer(token()) });
    assert.match(json.url, /^wss:\/\/127\.0\.0\.1:\d+\/rtm\//);
  });

  test("Slack's SDKs work with the authority given to them", async () => {
    const talk = { api: server.api, users: server.users.slice(0, 2), channel: general };
    const program = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'lib/sdk_over_tls.mjs');
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority.cert, TALK: JSON.stringify(talk) };
    const { code, out, err } = await run(process.execPath, [program], '', env);
    assert.equal(code, 0, out + err);
  });

  test('a client that does not know the authority refuses, and nobody else notices', async () => {
    await assert.rejects(secureSocket(server, { ca: undefined }), /unable to verify|self-signed/);
    await answers();
  });

  test('curl and openssl s_client are served', async () => {
    const curl = await run('curl', ['-sS', '--cacert', authority.cert, `${server.url}/api/api.test`]);
    assert.equal(curl.code, 0, curl.err);
    assert.equal(JSON.parse(curl.out).ok, true);
    const at = ['s_client', '-connect', `127.0.0.1:${server.port}`, '-CAfile', authority.cert];
    const request = 'GET /api/api.test HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const version of ['-tls1_2', '-tls1_3']) {
      const s = await run('openssl', [...at, version, '-alpn', 'h2,http/1.1', '-ign_eof'], request);
      assert.match(s.out, /"ok":true/, s.err);
      assert.match(s.out, /Verify return code: 0 \(ok\)/);
      assert.match(s.out, /ALPN protocol: http\/1\.1/);
      assert.match(s.out, /Compression: NONE/);
    }
    const h2 = await run('openssl', [...at, '-alpn', 'h2']);
    assert.match(h2.err, /no application protocol/);
    const old = await run('openssl', [...at, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']);
    assert.match(old.err, /alert protocol version/);
  });

  test('who speaks HTTP without TLS is told the address', async () => {
    const answer = await raw(server, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.deepEqual(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)), {
      ok: false,
      error: 'bad_request',
      message: `this is an https address: use ${server.url.replace(/\/$/, '')}`,
    });
  });

  test('a crowd that never finishes its handshake is let go, and others are served meanwhile', async () => {
    const crowd = Array.from({ length: 200 }, () => net.connect(server.port, '127.0.0.1'));
    const ends = crowd.map((s) => new Promise((resolve) => s.on('close', resolve)));
    for (const s of crowd) {
      s.on('error', () => {});
      s.resume();
      s.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    }
    await answers();
    await within(Promise.all(ends), 10_000, 'the crowd to be gone');
    await answers();
  });

  test('who vanishes during a handshake, or with an answer half read, leaves nothing', async () => {
    for (let i = 0; i < 20; i++) {
      const below = net.connect(server.port, '127.0.0.1');
      const socket = tls.connect({ socket: below, ca: authority.pem });
      socket.on('error', () => {});
      if (i % 2) await new Promise((resolve) => socket.once('secureConnect', resolve));
      if (i % 2) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      if (i % 3) await sleep(2);
      below.resetAndDestroy();
    }
    await answers();
    // The admin address, which has no TLS, has the connection that asks.
    const behind = async () => (await metric(server, 'http_connections')) + (await metric(server, 'ws_connections')) - 1;
    let open = -1;
    for (let i = 0; i < 50 && open !== (await behind()); i++, await sleep(50)) open = await metric(server, 'tls_connections');
    assert.equal(open, await behind());
  });

  test('20 MB of answers reach a slow reader whole', async () => {
    const text = 'x'.repeat(3900);
    for (let i = 0; i < 60; i++)
      await secureRequest(server, {
        path: '/api/chat.postMessage',
        headers: { ...bearer(token()), 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify({ channel: general, text: `${i} ${text}` }),
      });
    const get = `GET /api/conversations.history?channel=${general}&limit=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token()}\r\n`;
    const count = 90;
    const socket = await secureSocket(server, { highWaterMark: 16_384 });
    socket.write(`${get}\r\n`.repeat(count - 1) + `${get}Connection: close\r\n\r\n`);
    const chunks = [];
    let reads = 0;
    for await (const chunk of socket) {
      chunks.push(chunk);
      if (++reads % 40 === 0) await sleep(10);
    }
    let rest = Buffer.concat(chunks);
    assert.ok(rest.length > 20_000_000, `${rest.length} bytes`);
    const first = rest.subarray(rest.indexOf('\r\n\r\n') + 4);
    for (let i = 0; i < count; i++) {
      const head = rest.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(rest.subarray(0, head).toString())[1]);
      const body = rest.subarray(head + 4, head + 4 + length);
      assert.ok(body.equals(first.subarray(0, length)), `answer ${i} is not like the first`);
      rest = rest.subarray(head + 4 + length);
    }
    assert.equal(rest.length, 0);
  });

  test('a reload serves the new certificate, and no socket notices', async () => {
    const [person, other] = await Promise.all(server.users.slice(0, 2).map((u) => Person.connect(server, u)));
    let ended;
    person.rtm.on('reconnecting', () => (ended = 'it reconnects'));
    const kept = await secureSocket(server);
    assert.equal(await served(), 'first');
    const second = authority.issue('second');
    copyFileSync(second.cert, pair.cert);
    copyFileSync(second.key, pair.key);
    assert.equal(await served(), 'first');
    const reload = await taut(['reload', '--data', server.data]);
    assert.equal(reload.code, 0, reload.err);
    assert.match(reload.out, /server\.tls/);
    assert.equal(await served(), 'second');
    await person.rtm.sendMessage('still here', general);
    await other.seesText('still here');
    assert.equal(ended, undefined);
    kept.write('GET /api/api.test HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(String(await new Promise((resolve) => kept.once('data', resolve))), /^HTTP\/1\.1 200 OK/);
    kept.destroy();
  });

  test('a reload without a certificate names that as needing a restart, and applies the rest', async () => {
    const text = readFileSync(server.config, 'utf8');
    writeFileSync(server.config, text.replace(/^ {2}tls:\n.*\n.*\n/m, '  log_level: debug\n'));
    const before = await served();
    for (const applied of ['applied: server.log_level\n', '']) {
      const reload = await taut(['reload', '--data', server.data]);
      assert.equal(reload.code, 0, reload.err);
      assert.ok(reload.out.startsWith(applied), reload.out);
      assert.match(reload.out, /needs a restart: server\.tls\.cert\nneeds a restart: server\.tls\.key\n/);
      assert.equal(await served(), before);
    }
    writeFileSync(server.config, text);
    assert.equal((await taut(['reload', '--data', server.data])).code, 0);
  });

  test('a reload gives each warning once', async () => {
    chmodSync(pair.key, 0o644);
    const { out } = await taut(['reload', '--data', server.data]);
    chmodSync(pair.key, 0o600);
    assert.equal(out.match(/everybody on this machine may read the key/g)?.length, 1, out);
  });

  test('a reload with a pair that does not fit says so, and the old one stays', async () => {
    const third = authority.issue('third');
    const before = await served();
    copyFileSync(third.cert, pair.cert);
    const reload = await taut(['reload', '--data', server.data]);
    assert.notEqual(reload.code, 0);
    assert.match(reload.err, /server\.tls\.key: .*server\.key: is not the key of the certificate in .*server\.crt; give the two that were made together/);
    assert.equal(await served(), before);
    copyFileSync(third.key, pair.key);
    assert.equal((await taut(['reload', '--data', server.data])).code, 0);
    assert.equal(await served(), 'third');
  });

  test('a bare WebSocket is opened and closed over TLS', async () => {
    const { json } = await secureRequest(server, { path: '/api/rtm.connect', headers: bearer(token()) });
    const ws = new WebSocket(json.url, { ca: authority.pem });
    const hello = await new Promise((resolve, reject) => {
      ws.once('message', (d) => resolve(JSON.parse(d)));
      ws.once('error', reject);
    });
    assert.equal(hello.type, 'hello');
    const closed = new Promise((resolve) => ws.once('close', resolve));
    ws.close(1000);
    assert.equal(await closed, 1000);
  });
});

describe('taut check with TLS', { timeout: 60_000 }, () => {
  let authority, pair;
  before(() => {
    authority = new Authority();
    pair = authority.issue('checked');
  });
  const check = async (lines) => {
    const file = await withServerOptions(lines, newDir());
    const { code, out, err } = await taut(['check', '-c', file]);
    return { code, text: out + err };
  };

  test('a pair that fits is ok', async () => {
    const { code, text } = await check(`  tls: {cert: ${pair.cert}, key: ${pair.key}}`);
    assert.equal(code, 0, text);
    assert.doesNotMatch(text, /warning/);
  });

  test('what is wrong with the files is said at the place of the option, with what to do', async () => {
    const other = authority.issue('other');
    const cases = [
      [`  tls: {cert: /nowhere.crt, key: ${pair.key}}`, /taut\.yaml:2:15: server\.tls\.cert: \/nowhere\.crt: cannot be read: No such file or directory; give the path of a PEM file/],
      [`  tls: {cert: ${pair.key}, key: ${pair.key}}`, /server\.tls\.cert: .*: no certificate in PEM form can be read from it/],
      [`  tls: {cert: ${pair.cert}, key: ${pair.cert}}`, /server\.tls\.key: .*: no private key in PEM form can be read from it/],
      [`  tls: {cert: ${pair.cert}, key: ${other.key}}`, /server\.tls\.key: .*: is not the key of the certificate in/],
      [`  tls: {cert: ${pair.cert}}`, /key/],
    ];
    for (const [lines, expected] of cases) {
      const { code, text } = await check(lines);
      assert.notEqual(code, 0, text);
      assert.match(text, expected);
    }
  });

  test('a pipe is not waited for', async () => {
    const pipe = path.join(newDir(), 'pipe');
    spawnSync('mkfifo', [pipe]);
    for (const [cert, key, option] of [[pipe, pair.key, 'cert'], [pair.cert, pipe, 'key']]) {
      const { code, text } = await check(`  tls: {cert: ${cert}, key: ${key}}`);
      assert.equal(code, 1);
      assert.ok(text.includes(`server.tls.${option}: ${pipe}: is no regular file\n`), text);
    }
  });

  test('a key that everybody may read is a warning', async () => {
    chmodSync(pair.key, 0o644);
    const { code, text } = await check(`  tls: {cert: ${pair.cert}, key: ${pair.key}}`);
    chmodSync(pair.key, 0o600);
    assert.equal(code, 0, text);
    assert.match(text, /warning: server\.tls\.key: everybody on this machine may read the key in \S+ \(its mode is 0644\); chmod 600 it\n/);
  });

  test('a certificate for another host is a warning', async () => {
    const strange = authority.issue('strange', 'DNS:chat.example.org');
    const { code, text } = await check(`  tls: {cert: ${strange.cert}, key: ${strange.key}}`);
    assert.equal(code, 0, text);
    assert.match(text, /is not for 127\.0\.0\.1, the host of server\.public_url: clients will refuse it/);
  });

  test('the private key is in no output', async () => {
    const secret = readFileSync(pair.key, 'utf8').split('\n')[1];
    const { text } = await check(`  tls: {cert: ${pair.key}, key: ${pair.key}}`);
    assert.ok(!text.includes(secret));
  });
});
