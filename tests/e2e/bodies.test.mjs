// Bodies in and out through a module's routes (tests/testmods/bodies.c): every way in which SDKs send files, large ones with
// flat memory, clients that go away, a full disk, many that are slow. BODY_MIB: how large is large (`make bodies`: 1024).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { must, raw, request } from './lib/http.mjs';
import { anonymous, FRUGAL, isSanitized, peakWhile, slowestWhile } from './lib/memory.mjs';
import { newDir, Server, sleep, TAUT } from './lib/server.mjs';

const MIB = 1024 * 1024;
const LARGE = Number(process.env.BODY_MIB ?? 64) * MIB;
const BLOCK = Buffer.alloc(MIB, 'a block of a large file; ');

function modules() {
  const lib = path.resolve(path.dirname(TAUT), '../lib');
  const dir = newDir();
  for (const name of readdirSync(path.join(lib, 'taut')))
    if (name.endsWith('.so')) symlinkSync(path.join(lib, 'taut', name), path.join(dir, name));
  symlinkSync(path.join(lib, 'testmods/bodies.so'), path.join(dir, 'bodies.so'));
  return { TAUT_MODULE_DIR: dir, ...FRUGAL };
}

// FNV-1a, as the module has it.
function sum(bytes) {
  let h = 14695981039346656037n;
  for (const b of bytes) h = BigInt.asUintN(64, (h ^ BigInt(b)) * 1099511628211n);
  return h.toString(16).padStart(16, '0');
}

const openBodies = (server) => {
  const fds = `/proc/${server.child.pid}/fd`;
  return readdirSync(fds).filter((fd) => {
    try {
      return readlinkSync(path.join(fds, fd)).includes(`${server.data}/tmp/`);
    } catch {
      return false;
    }
  }).length;
};

async function becomes(what, value, ms = 5000) {
  const end = Date.now() + ms;
  while (what() !== value && Date.now() < end) await sleep(10);
  assert.equal(what(), value);
}

// Sends `length` bytes in blocks; resolves to the answer.
function upload(server, method, where, length, { headers = {}, before: first = '', behind = '' } = {}) {
  return new Promise((resolve, reject) => {
    const total = length + first.length + behind.length;
    const req = http.request(new URL(where, server.url), { method, headers: { 'content-length': total, ...headers } }, (res) => {
      let text = '';
      res.on('data', (d) => (text += d));
      res.on('end', () => resolve({ status: res.statusCode, text }));
    });
    req.on('error', reject);
    req.write(first);
    let left = length;
    const more = () => {
      while (left > 0) {
        const n = Math.min(left, MIB);
        left -= n;
        if (!req.write(n === MIB ? BLOCK : BLOCK.subarray(0, n)) && left) return req.once('drain', more);
      }
      req.end(behind);
    };
    more();
  });
}

// The answer's body as { status, length, hash }; delay: ms before each chunk is taken.
function download(server, where, headers = {}) {
  return new Promise((resolve, reject) => {
    http.get(new URL(where, server.url), { headers }, (res) => {
      const hash = createHash('sha256');
      let length = 0;
      res.on('data', (d) => {
        length += d.length;
        hash.update(d);
      });
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, length, hash: hash.digest('hex') }));
      res.on('error', reject);
    }).on('error', reject);
  });
}

function multipart(parts) {
  const chunks = [];
  for (const { name, filename, type, bytes } of parts) {
    chunks.push(Buffer.from(`--bound ary\r\nContent-Disposition: form-data; name="${name}"`));
    if (filename !== undefined) chunks.push(Buffer.from(`; filename="${filename}"`));
    chunks.push(Buffer.from(`\r\n${type ? `Content-Type: ${type}\r\n` : ''}\r\n`), Buffer.from(bytes), Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from('--bound ary--\r\n'));
  return { headers: { 'content-type': 'multipart/form-data; boundary="bound ary"' }, body: Buffer.concat(chunks) };
}

describe('bodies of routes', { timeout: 600_000 }, () => {
  let server;
  before(async () => {
    server = await Server.start({ env: modules() });
  });
  after(() => server.stop());

  for (const size of [5, 300_000])
    test(`an upload of ${size} bytes arrives in every style in which SDKs send files`, async () => {
      const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) & 255));
      const expected = { length: size, in_file: size > 65536, sum: sum(bytes) };
      const styles = {
        node: multipart([{ name: 'body', filename: 'Untitled', type: 'application/octet-stream', bytes }]),
        python: { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: bytes },
        go: multipart([{ name: 'file', filename: 'a.bin', bytes }]),
        java: { headers: {}, body: bytes },
      };
      for (const [name, { headers, body }] of Object.entries(styles)) {
        const { status, json } = await request(server, { path: '/t/upload', headers, body });
        assert.equal(status, 200, name);
        const { length, in_file, sum: got } = json[0];
        assert.deepEqual({ length, in_file, sum: got }, expected, name);
        assert.equal(json.length, 1);
      }
      const chunked = await raw(server, Buffer.concat([
        Buffer.from('POST /t/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'),
        Buffer.from(`${size.toString(16)};ext=1\r\n`), bytes, Buffer.from('\r\n0\r\nTrailer: x\r\n\r\n'),
      ]));
      assert.deepEqual(JSON.parse(chunked.split('\r\n\r\n')[1])[0], expected);
    });

  test('a form of texts and files is taken apart, or left as it is, as the route says', async () => {
    const large = Buffer.alloc(100_000, 'x');
    const form = multipart([
      { name: 'title', bytes: 'über' },
      { name: 'one', filename: 'a "b".txt'.replaceAll('"', '\\"'), type: 'text/plain', bytes: 'first' },
      { name: 'two', filename: '', bytes: large },
      { name: 'three', filename: 'c', bytes: '' },
    ]);
    const apart = (await request(server, { path: '/t/upload', ...form })).json;
    assert.deepEqual(
      apart.map(({ name, filename, length, in_file }) => [name, filename, length, in_file]),
      [['title', undefined, 5, false], ['one', 'a "b".txt', 5, false], ['two', '', 100_000, true], ['three', 'c', 0, false]],
    );
    const whole = (await request(server, { path: '/t/raw', ...form })).json;
    assert.equal(whole.length, 1);
    assert.equal(whole[0].sum, sum(form.body));
  });

  test('a method gets the texts of a form as arguments and its files as parts', async () => {
    const large = Buffer.alloc(100_000, 'x');
    const form = multipart([{ name: 'file', filename: 'f.bin', bytes: large }, { name: 'title', bytes: 'A title' }]);
    const { json } = await request(server, { path: '/api/test.files', ...form });
    assert.deepEqual(json, { ok: true, title: 'A title', files: [{ filename: 'f.bin', length: 100_000, in_file: true }] });
    form.body = form.body.subarray(0, form.body.length - 6);
    const bad = await request(server, { path: '/api/test.files', ...form });
    assert.deepEqual([bad.status, bad.json.error], [200, 'invalid_form_data']);
  });

  test('a large file goes in and comes out whole, by ranges too, and memory stays as it was', async () => {
    const allowed = isSanitized(server) ? 48 : 8; // MiB
    const start = anonymous(server);
    const peak = await peakWhile(server, async () => {
      assert.equal((await upload(server, 'PUT', '/t/kept/large', LARGE)).status, 201);
      const hash = createHash('sha256');
      for (let at = 0; at < LARGE; at += MIB) hash.update(BLOCK);
      const got = await download(server, '/t/kept/large');
      assert.deepEqual([got.status, got.length, got.hash], [200, LARGE, hash.digest('hex')]);
      const end = await download(server, '/t/kept/large', { range: 'bytes=-1048576' });
      assert.deepEqual([end.status, end.length, end.headers['content-range']], [206, MIB, `bytes ${LARGE - MIB}-${LARGE - 1}/${LARGE}`]);
      assert.equal(end.hash, createHash('sha256').update(BLOCK).digest('hex'));
      const known = await download(server, '/t/kept/large', { 'if-none-match': got.headers.etag });
      assert.deepEqual([known.status, known.length], [304, 0]);
      const first = '--b\r\nContent-Disposition: form-data; name="body"; filename="Untitled"\r\n\r\n';
      const form = await upload(server, 'POST', '/t/upload', LARGE, {
        headers: { 'content-type': 'multipart/form-data; boundary=b' }, before: first, behind: '\r\n--b--\r\n',
      });
      assert.equal(JSON.parse(form.text)[0].length, LARGE);
    });
    console.log(`# ${LARGE / MIB} MiB in and out: ${start.toFixed(1)} MiB before, ${peak.toFixed(1)} MiB at most`);
    assert.ok(peak - start < allowed, `${start} MiB before, ${peak} MiB at most`);
    await becomes(() => openBodies(server), 0);
  });

  test('what a client that goes away has sent is let go', async () => {
    for (const say of ['POST /t/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n', 'GET /t/hole?500000000 HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const sockets = await Promise.all(
        Array.from({ length: 10 }, () => new Promise((resolve) => {
          const socket = net.connect(server.port, '127.0.0.1', () => {
            socket.write(say);
            socket.write(Buffer.alloc(say.startsWith('POST') ? 4_000_000 : 0), () => resolve(socket));
          });
          socket.on('error', () => {});
          socket.pause();
        })),
      );
      await becomes(() => openBodies(server) > 0 || say.startsWith('GET'), true);
      sockets.forEach((s) => s.resetAndDestroy());
      await becomes(() => openBodies(server), 0);
    }
  });

  test('fifty slow uploads at once arrive, and delay nobody', async () => {
    const [ada] = server.users;
    const slowest = await slowestWhile(server, ada.token, async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const socket = net.connect(server.port, '127.0.0.1');
        let text = '';
        socket.on('data', (d) => (text += d));
        const ended = new Promise((resolve) => socket.on('close', resolve));
        socket.write(`POST /t/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${20 * 10_000}\r\n\r\n`);
        for (let k = 0; k < 20; k++) {
          socket.write(Buffer.alloc(10_000, 65 + i));
          await sleep(100);
        }
        await ended;
        return text;
      }));
      for (const text of answers) assert.match(text, /^HTTP\/1.1 200 OK[^]*"length":200000,"in_file":true/);
    });
    assert.ok(slowest < (isSanitized(server) ? 5000 : 1500), `a call took ${slowest} ms meanwhile`);
    await becomes(() => openBodies(server), 0);
  });

  test('an answer holds no header that a handler may not put there', async () => {
    assert.equal((await request(server, { method: 'GET', path: '/t/echo?broken' })).text, '8 refused\n');
    const moved = await request(server, { method: 'GET', path: '/t/echo', headers: { cookie: 'd=1' } });
    assert.deepEqual([moved.status, moved.headers['set-cookie']], [302, ['d=1; HttpOnly']]);
  });

  test('a body that is too large, or for nobody, is refused before it is sent', async () => {
    const ask = (line, length) => raw(server, `${line} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`);
    assert.match(await ask('POST /t/raw', 5 * MIB), /^HTTP\/1.1 413 /);
    assert.match(await ask('POST /t/none', 5), /^HTTP\/1.1 404 /);
    assert.match(await ask('DELETE /t/kept/x', 5), /^HTTP\/1.1 405 [^]*Allow: GET, HEAD, PUT\r\n/);
  });
});

describe('a disk without room', { timeout: 120_000 }, () => {
  test('is told to who uploads, and messages go on', async () => {
    const server = await Server.start({ env: modules(), wrap: ['prlimit', `--fsize=${8 * MIB}`] });
    const [ada] = server.users;
    const answer = await upload(server, 'POST', '/t/upload', 16 * MIB).catch((e) => ({ status: e.code }));
    assert.ok([507, 'ECONNRESET', 'EPIPE'].includes(answer.status), JSON.stringify(answer));
    const told = await raw(server, Buffer.concat([
      Buffer.from(`POST /t/upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${16 * MIB}\r\n\r\n`), Buffer.alloc(9 * MIB)]));
    assert.match(told, /^HTTP\/1.1 507 Insufficient Storage\r\n[^]*"message":"the server has no room for this body"/);
    await becomes(() => openBodies(server), 0);
    await must(server, 'chat.postMessage', ada.token, { channel: server.channel('general'), text: 'still here' });
    await server.stop();
  });
});
