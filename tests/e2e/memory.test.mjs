// Memory is bounded whatever a peer does: readers that pause, callers that do not read their answers, bodies that do
// not end. Nothing is lost by it, and others are served meanwhile.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { many, metric, must } from './lib/http.mjs';
import { anonymous, deafPeer, FRUGAL, isSanitized, peakWhile, Reader, slowestWhile } from './lib/memory.mjs';
import { Server, sleep } from './lib/server.mjs';

const POSTS = 20_000;
const TEXT = 'x'.repeat(1000);
const READERS = 50;
const CATCH_UP_MS = 120_000;
// Peers that do not read, and how many histories of 999 messages each of them asks for: few of whom everything is
// expected, and many that are given only the few that everybody is.
const GREEDY = [[4, 200], [300, 20]];
const ROOM_MIB = 160; // answers that are there (server.max_answers, 64 MiB), those under way, and what the sockets hold
const LOOK_MS = 3000;
const BODIES = 800;
const BODY_BYTES = 512 * 1024; // half of each is sent
const SOON_MS = 1500; // starvation was many seconds; how fast it is, make bench says

describe('memory', { timeout: 400_000 }, () => {
  let server, general, ada, ben, scale;
  before(async () => {
    server = await Server.start({ env: FRUGAL });
    general = server.channel('general');
    [ada, ben] = server.users;
    scale = isSanitized(server) ? 2 : 1;
    await post(POSTS); // the tail, the caches and the allocator have what they want
  });
  after(async () => {
    // calls of peers that have gone still run to their end
    for (let i = 0; i < 600 && (await metric(server, 'calls')) > 0; i++) await sleep(100);
    await server.stop();
  });

  const post = (n) => many(n, 64, () => must(server, 'chat.postMessage', ada.token, { channel: general, text: TEXT }));
  const grown = async (t, what, work) => {
    const steady = anonymous(server);
    const peak = await peakWhile(server, work);
    t.diagnostic(`${what}: from ${steady.toFixed(1)} to at most ${peak.toFixed(1)} MiB`);
    return (peak - steady) / scale;
  };

  // What is posted meanwhile is some 26 MiB of events, which queues share, and read again a copy for each of them.
  for (const [n, mib] of [[1, 12], [READERS, 64]]) {
    test(`does not grow by ${POSTS} messages that ${n} paused readers have yet to read; they lose nothing`, async (t) => {
      const readers = await many(n, 8, () => Reader.connect(server, ben.token));
      readers.forEach((r) => r.pause());
      const growth = await grown(t, 'while they are paused', () => post(POSTS));
      assert.ok(growth < 12, `${growth.toFixed(1)} MiB`);
      const more = await grown(t, 'while they catch up', async () => {
        readers.forEach((r) => r.resume());
        await Promise.all(readers.map((r) => r.until(POSTS, CATCH_UP_MS)));
      });
      assert.ok(more < mib, `${more.toFixed(1)} MiB`);
      readers.forEach((r) => r.terminate());
    });
  }

  // More in all than what the server holds of unfinished requests (64 MiB); what it frees, the allocator may keep.
  test('does not grow by bodies that do not end, nor by the same again, and others are answered soon', async (t) => {
    const head =
      'POST /api/chat.postMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${BODY_BYTES}\r\n\r\n`;
    const flood = async () => {
      const peers = await many(BODIES, 1, () => deafPeer(server, head + 'x'.repeat(BODY_BYTES / 2)));
      await sleep(LOOK_MS);
      peers.forEach((p) => p.destroy());
    };
    for (const mib of [96, 32]) {
      let slowest;
      const growth = await grown(t, 'while they send', async () => {
        slowest = await slowestWhile(server, ada.token, flood);
      });
      t.diagnostic(`the slowest auth.test of another: ${slowest.toFixed(0)} ms`);
      assert.ok(growth < mib, `${growth.toFixed(1)} MiB`);
      assert.ok(slowest < SOON_MS * scale, `${slowest.toFixed(0)} ms`);
    }
  });

  for (const [peers, histories] of GREEDY) {
    test(`does not grow by answers that ${peers} peers do not read, and others are answered soon`, async (t) => {
      const one =
        `GET /api/conversations.history?channel=${general}&limit=999 HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${ben.token}\r\n\r\n`;
      const deaf = [];
      let slowest;
      const growth = await grown(t, 'while they ask', async () => {
        slowest = await slowestWhile(server, ada.token, async () => {
          for (let i = 0; i < peers; i++) deaf.push(await deafPeer(server, one.repeat(histories)));
          await sleep(LOOK_MS);
        });
      });
      t.diagnostic(`the slowest auth.test of another: ${slowest.toFixed(0)} ms`);
      deaf.forEach((p) => p.destroy());
      assert.ok(growth < ROOM_MIB, `${growth.toFixed(1)} MiB`);
      assert.ok(slowest < SOON_MS * scale, `${slowest.toFixed(0)} ms`);
    });
  }
});
