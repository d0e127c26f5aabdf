// /metrics: what a strict parser of OpenMetrics reads, on a server under load; and that all of it is in docs/metrics.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { FORM_TYPE, bearer, call, must, request } from './lib/http.mjs';
import { metrics, parse } from './lib/metrics.mjs';
import { newDir, Server, sleep, writeFile } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

const DOCS = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../docs/metrics.md');
const SCRAPES = 12;

let server, admin, ada, channel;
before(async () => {
  const config = writeFile(newDir(), 'taut.yaml', 'server: {}\nmodules: [store_sqlite, directory, conversation, rtm, demo]\n');
  server = await Server.start({ args: ['-c', config, '--admin-listen', '127.0.0.1:0'] });
  admin = { url: server.admin_url };
  ada = server.users[0];
  channel = server.channel('general');
});
after(() => server.stop());

describe('metrics', { timeout: 90_000 }, () => {
  test('are strict OpenMetrics at every moment of a load, and counters only grow', async () => {
    const sockets = [await Socket.connect(server, ada.token), await Socket.connect(server, server.users[1].token)];
    let running = true;
    const load = Array.from({ length: 4 }, async (_, w) => {
      for (let i = 0; running; i++) {
        const { token } = server.users[w % server.users.length];
        await call(server, 'chat.postMessage', token, { channel, text: `number ${i} of ${w}` });
        await call(server, 'conversations.history', token, { channel, limit: 20 });
        await call(server, 'reactions.add', token, { channel, name: 'no', timestamp: '1.1' });
        await request(server, { path: '/api/chat.postMessage', headers: { ...FORM_TYPE, ...bearer('xoxb-unknown') }, body: 'text=x' });
      }
    });
    const counts = new Map();
    for (let i = 0; i < SCRAPES; i++) {
      await sleep(150);
      const page = await metrics(admin);
      for (const s of page.samples.filter((x) => x.type === 'counter' || x.name.endsWith('_bucket') || x.name.endsWith('_count'))) {
        const key = `${s.name} ${JSON.stringify(s.labels)}`;
        assert.ok(s.value >= (counts.get(key) ?? 0), `${key} went from ${counts.get(key)} to ${s.value}`);
        counts.set(key, s.value);
      }
    }
    running = false;
    await Promise.all(load);
    sockets.forEach((s) => s.ws.close());
  });

  test('have per-module and per-hook times, queue depths and cache hits', async () => {
    await sleep(1100); // gauges are set once a second
    const page = await metrics(admin);
    const modules = ['core', 'store_sqlite', 'directory', 'conversation', 'rtm', 'demo'];
    for (const module of modules) {
      page.value('taut_module_busy_seconds_total', { module });
      assert.equal(page.value('taut_module_health', { module }), 0);
    }
    assert.ok(page.value('taut_module_busy_seconds_total', { module: 'conversation' }) > 0);
    assert.ok(page.value('taut_callback_seconds_count', { module: 'conversation', kind: 'method' }) > 0);
    assert.ok(page.value('taut_callback_seconds_count', { module: 'directory', kind: 'service' }) > 0, 'auth/1');
    assert.ok(page.value('taut_callback_seconds_count', { module: 'store_sqlite', kind: 'service' }) > 0, 'storage/1');
    assert.ok(page.value('taut_hook_seconds_count', { module: 'conversation' }) > 0);
    assert.ok(page.value('taut_method_seconds_count', { method: 'chat.postMessage' }) > 0);
    assert.ok(page.value('taut_method_failed_total', { method: 'chat.postMessage' }) > 0);
    assert.ok(page.value('taut_cache_hits_total') > 0);
    assert.ok(page.value('taut_cache_misses_total') > 0);
    for (const loop of ['hub', 'gateway 0']) {
      assert.ok(page.value('taut_mailbox_messages_total', { loop }) > 0);
      assert.ok(page.value('taut_mailbox_waiting', { loop }) >= 0);
      assert.ok(page.value('taut_loop_turn_seconds_count', { loop }) > 0);
    }
    const depths = ['taut_hub_calls', 'taut_store_commits', 'taut_store_reads', 'taut_store_scans_waiting', 'taut_work_queued', 'taut_ops',
      'taut_timers', 'taut_gateway_calls', 'taut_gateway_queued_bytes', 'taut_spool_bytes', 'taut_spool_files', 'taut_log_waiting_bytes'];
    for (const name of depths) assert.ok(page.value(name) >= 0, name);
    assert.ok(page.value('taut_mod_store_sqlite_commit_seconds_count') > 0);
    assert.ok(page.value('taut_commit_durable_seconds_count') > 0);
  });

  test('hold nothing that docs/metrics.md does not have', async () => {
    const known = new Set([...readFileSync(DOCS, 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`));
    assert.ok(known.size > 60);
    const { families } = await metrics(admin);
    const shown = (f) => `${f.name}${{ counter: '_total', info: '_info' }[f.type] ?? ''} ${f.type}`;
    assert.deepEqual(families.map(shown).filter((f) => !known.has(f)), []);
  });

  test('are for the admin address alone', async () => {
    assert.equal((await request(server, { method: 'GET', path: '/metrics' })).status, 404);
  });

  test('are read by a parser that refuses what is not OpenMetrics', () => {
    const wrong = [
      'a 1\n', // no EOF
      '# TYPE a counter\na 1\n# EOF\n', // a counter's sample ends in _total
      '# TYPE a gauge\na 1\na 1\n# EOF\n', // twice
      '# TYPE a_seconds gauge\n# UNIT a_seconds bytes\n# EOF\n',
      '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n', // not cumulative
      '# TYPE a gauge\na{b="c} 1\n# EOF\n',
      '# TYPE a counter\na_total -1\n# EOF\n',
    ];
    for (const text of wrong) assert.throws(() => parse(text), /no OpenMetrics/, text);
    assert.equal(parse('# TYPE a gauge\na{b="c"} 1\n# EOF\n').value('a'), 1);
  });
});
