// A client that does not read for a while loses nothing but time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { many, must } from './lib/http.mjs';
import { Server } from './lib/server.mjs';
import { messagesIn, Socket } from './lib/socket.mjs';

const POSTS = 4000;
const TEXT_BYTES = 1500; // all of them are more than any queue on the way holds

describe('a slow reader', { timeout: 240_000 }, () => {
  let server, general;
  before(async () => {
    server = await Server.start();
    general = server.channel('general');
  });
  after(() => server.stop());

  test('gets every message once and in order when it reads on, and delays nobody', async () => {
    const [ada, ben, cleo] = server.users;
    const slow = await Socket.connect(server, ben.token);
    const quick = await Socket.connect(server, cleo.token);
    slow.ws.pause();
    const filler = 'x'.repeat(TEXT_BYTES);
    const posts = await many(POSTS, 64, (i) =>
      must(server, 'chat.postMessage', ada.token, { channel: general, text: `${i} ${filler}` }),
    );
    const all = posts.map((p) => p.ts).sort();
    const last = all.at(-1);
    await quick.next('the last message', (f) => f.ts === last, 60_000);
    assert.deepEqual(messagesIn(quick.frames, general).map((f) => f.ts), all);
    assert.equal(messagesIn(slow.frames, general).length, 0);

    slow.ws.resume();
    await slow.next('the last message', (f) => f.ts === last, 60_000);
    assert.deepEqual(messagesIn(slow.frames, general).map((f) => f.ts), all);
    const after_ts = (await must(server, 'chat.postMessage', ada.token, { channel: general, text: 'and on' })).ts;
    await slow.next('what is new', (f) => f.ts === after_ts);
    [slow, quick].forEach((s) => s.terminate());
  });
});
