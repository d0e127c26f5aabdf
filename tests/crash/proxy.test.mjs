// The proxy does to connections what their fate says, and nothing else.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { Proxy } from './lib/proxy.mjs';
import { free_port } from './lib/server.mjs';
import { sleep } from './lib/text.mjs';

const BYTES = 100_000;
const sent = Buffer.from(Array.from({ length: BYTES }, (_, i) => i & 255));

let server, port, heard;
before(async () => {
  heard = [];
  server = net.createServer((s) => {
    s.on('error', () => {});
    s.on('data', (d) => heard.push(d));
    s.write(sent);
  });
  port = await free_port();
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
});
after(() => server.close());

// What a client gets in so long, and how its connection stands then.
async function through(fate, ms, { send = '', act = () => {} } = {}) {
  heard.length = 0;
  const proxy = await Proxy.start(await free_port([port]), port, () => fate);
  const client = net.connect(proxy.port, '127.0.0.1');
  const got = [];
  const state = { ended: false };
  client.on('data', (d) => got.push(d));
  client.on('error', () => {});
  client.on('close', () => (state.ended = true));
  client.write(send);
  const began = Date.now();
  await act(proxy);
  while (Date.now() - began < ms && !state.ended && Buffer.concat(got).length < BYTES) await sleep(2);
  client.destroy();
  proxy.close();
  return { ...state, got: Buffer.concat(got), ms: Date.now() - began };
}

test('a plain connection passes everything, unchanged', async () => {
  const r = await through({ kind: 'plain' }, 2000);
  assert.deepEqual(r.got, sent);
});

test('a delayed connection passes everything, later and in order', async () => {
  const r = await through({ kind: 'delay', ms: 80 }, 2000);
  assert.deepEqual(r.got, sent);
  assert.ok(r.ms >= 75, `${r.ms} ms`);
});

test('a trickle passes the beginning, a little at a time, and all of it once the network is calm', async () => {
  const r = await through({ kind: 'trickle', bytes: 500 }, 150);
  assert.ok(r.got.length > 500 && r.got.length < BYTES / 2, `${r.got.length} bytes`);
  assert.deepEqual(r.got, sent.subarray(0, r.got.length));
  const calmed = await through({ kind: 'trickle', bytes: 500 }, 2000, { act: (proxy) => sleep(50).then(() => proxy.calm()) });
  assert.deepEqual(calmed.got, sent);
});

test('a cut connection ends after exactly so many bytes', async () => {
  const r = await through({ kind: 'cut', bytes: 12_345 }, 2000);
  assert.ok(r.ended);
  assert.deepEqual(r.got, sent.subarray(0, 12_345));
});

test('a mute connection hears nothing after so many bytes, and ends later', async () => {
  const r = await through({ kind: 'mute', bytes: 5000, ms: 60 }, 2000, { send: 'hello' });
  assert.ok(r.ended && r.ms >= 55, `${r.ms} ms`);
  assert.deepEqual(r.got, sent.subarray(0, 5000));
  assert.equal(Buffer.concat(heard).toString(), 'hello');
});

test('a deaf connection is not heard after so many bytes, and hears all', async () => {
  const r = await through({ kind: 'deaf', bytes: 3, ms: 300 }, 2000, { send: 'hello', act: () => sleep(50) });
  assert.deepEqual(r.got, sent);
  assert.equal(Buffer.concat(heard).toString(), 'hel');
});
