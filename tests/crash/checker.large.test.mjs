// The checker on a history as a long run makes it: 200,000 posts, two million deliveries, one fault, which has to be
// found in under a minute, in memory that does not grow with the size of a record.
import assert from 'node:assert/strict';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { check, describe } from './checker.mjs';
import { History } from './lib/history.mjs';
import { new_dir } from './lib/server.mjs';

const POSTS = 200_000;
const CONNS = 10;
const CHANNELS = 20;
const STEP_US = 500; // between posts
const WINDOW = 100; // deliveries come that many posts after their own
const JUDGED_MS = 60_000;
const MEMORY_MIB = 1200;

const channel_of = (n) => `C${n % CHANNELS}`;
const ts_of = (n) => `1795506983.${String(n).padStart(6, '0')}`;
const key_of = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

function write(history, lost) {
  for (let u = 0; u < CONNS; u++) {
    for (let c = 0; c < CHANNELS; c++) history.add('member', { user: `U${u}`, topic: channel_of(c), seq: 0 });
    history.add('open', { conn: `r${u}.1`, stream: `r${u}`, user: `U${u}`, seq: 0, t: 0 });
  }
  const post = (n) => ({ channel: channel_of(n), ts: ts_of(n), key: key_of(n), hash: 'b3a7f0c21d5e' });
  for (let n = 1; n <= POSTS + WINDOW; n++) {
    const t = n * STEP_US;
    if (n <= POSTS) {
      const { channel, ts, key, hash } = post(n);
      history.add('send', { id: n, proc: `s${n % 12}`, channel, key, hash, t0: t });
      history.add('ok', { id: n, ts, t1: t + 400 });
    }
    const seq = n - WINDOW;
    for (let u = 0; u < CONNS && seq > 0; u++)
      if (seq !== lost.seq || u !== lost.conn) history.add('recv', { conn: `r${u}.1`, seq, type: 'message', ...post(seq), t: t + u });
  }
  history.add('end', { t: (POSTS + WINDOW + 1) * STEP_US, waited_ms: 5 });
  for (let n = 1; n <= POSTS; n++) history.add('read', post(n));
  for (let n = 1; n <= POSTS; n++) history.add('log', { seq: n, type: 'message', topics: [channel_of(n)], deltas: [], ...post(n) });
}

test('one loss among two million deliveries is found in under a minute', { timeout: 300_000 }, (t) => {
  const dir = new_dir('large');
  const file = path.join(dir, 'history.jsonl');
  try {
    const history = new History(file);
    const lost = { seq: 123_457, conn: 7 };
    write(history, lost);
    history.close();
    const began = performance.now();
    const found = check(file);
    const ms = performance.now() - began;
    t.diagnostic(`${history.counts.recv} deliveries, ${(statSync(file).size / 2 ** 20).toFixed(0)} MiB: judged in ${(ms / 1000).toFixed(1)} s, ` +
      `${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`);
    assert.equal(found.length, 1, describe(found));
    assert.equal(found[0].rule, 'SILENT-GAP');
    assert.match(found[0].text, new RegExp(`^r${lost.conn}\\.1 never saw seq ${lost.seq}, only later ones$`));
    assert.ok(ms < JUDGED_MS, `${ms.toFixed(0)} ms`);
    assert.ok(process.memoryUsage.rss() < MEMORY_MIB * 2 ** 20);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
