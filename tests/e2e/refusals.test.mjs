// Bad input over HTTP, each answered to the letter, and nothing lost by it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { bearer, call, FORM_TYPE, JSON_TYPE, must, raw, request } from './lib/http.mjs';
import { Server } from './lib/server.mjs';

describe('refusals', { timeout: 90_000 }, () => {
  let server, token, general;
  before(async () => {
    server = await Server.start();
    token = server.users[0].token;
    general = server.channel('general');
  });
  after(() => server.stop());

  const post = (method, body, headers = JSON_TYPE) =>
    request(server, { path: `/api/${method}`, headers: { ...headers, ...bearer(token) }, body });
  const refused = async (answer, error) => {
    const { status, json } = await answer;
    assert.equal(status, 200);
    assert.equal(json.ok, false);
    assert.equal(json.error, error);
    return json;
  };

  test('bad JSON is invalid_json', async () => {
    for (const body of ['{', '{"channel":}', '{"a":1}{"b":2}', "{'a':1}", '{"a":1,"a":2}', '{"a":01}', 'nul']) {
      await refused(post('chat.postMessage', body), 'invalid_json');
    }
  });

  test('JSON that is no object is json_not_object', async () => {
    for (const body of ['[]', '"text"', '7', 'true']) await refused(post('chat.postMessage', body), 'json_not_object');
  });

  test('deep JSON is refused without being followed down', async () => {
    const deep = (n) => `{"channel":"${general}","text":"x","blocks":${'['.repeat(n)}${']'.repeat(n)}}`;
    await refused(post('chat.postMessage', deep(40)), 'invalid_json');
    await refused(post('chat.postMessage', deep(100_000)), 'invalid_json');
  });

  test('bad UTF-8 is refused', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`{"channel":"${general}","text":"`),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    await refused(post('chat.postMessage', bytes), 'invalid_json');
    await refused(post('chat.postMessage', `channel=${general}&text=%C3%28`, FORM_TYPE), 'invalid_form_data');
  });

  test('a body type that nobody knows is invalid_post_type', async () => {
    await refused(post('chat.postMessage', 'x: y', { 'content-type': 'text/yaml' }), 'invalid_post_type');
  });

  test('a body over the limit is refused with 413, and the connection ends', async () => {
    const answer = await raw(
      server,
      `POST /api/chat.postMessage HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{',
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer.toLowerCase(), /\r\nconnection: close\r\n/);
  });

  test('headers over the limit are refused with 431', async () => {
    const answer = await raw(server, `GET /api/api.test HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(200_000)}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 431 /);
  });

  test('what is no HTTP is refused with 400', async () => {
    assert.match(await raw(server, 'GET / NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await raw(server, 'NONSENSE / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 501 /);
    assert.match(
      await raw(
        server,
        'POST /api/api.test HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
      /^HTTP\/1\.1 400 /,
    );
    assert.match(
      await raw(server, 'POST /api/api.test HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'),
      /^HTTP\/1\.1 400 /,
    );
  });

  test('a chunked body is read', async () => {
    const body = '{"channel":"x"}';
    const answer = await raw(
      server,
      `POST /api/conversations.info HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n` +
        'Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n' +
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    assert.match(answer, /\{"ok":false,"error":"channel_not_found"\}$/);
  });

  test('pipelined calls are answered in order', async () => {
    const one = (i) =>
      `POST /api/api.test HTTP/1.1\r\nHost: x\r\n${i === 9 ? 'Connection: close\r\n' : ''}` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${`foo=${i}`.length}\r\n\r\nfoo=${i}`;
    const answer = await raw(server, Array.from({ length: 10 }, (_, i) => one(i)).join(''));
    const numbers = [...answer.matchAll(/"foo":"(\d)"/g)].map((m) => Number(m[1]));
    assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('a channel that is not there, or may not be seen, is channel_not_found', async () => {
    for (const channel of ['C0000000000', 'nonsense', '../../etc/passwd', "C1' OR '1'='1"]) {
      assert.deepEqual(await call(server, 'conversations.history', token, { channel }), {
        ok: false,
        error: 'channel_not_found',
      });
    }
    assert.equal((await call(server, 'chat.postMessage', token, { channel: 'C0000000000', text: 'x' })).error, 'channel_not_found');
  });

  test('a channel that one is not in is not_in_channel', async () => {
    const { channel } = await must(server, 'conversations.create', token, { name: 'not-yours' });
    const stranger = server.users[1].token;
    assert.deepEqual(await call(server, 'chat.postMessage', stranger, { channel: channel.id, text: 'x' }), {
      ok: false,
      error: 'not_in_channel',
    });
  });

  test('a message without text is no_text, and one that is too long is cut', async () => {
    assert.equal((await call(server, 'chat.postMessage', token, { channel: general })).error, 'no_text');
    assert.equal((await call(server, 'chat.postMessage', token, { channel: general, text: '' })).error, 'no_text');
    const text = 'ü'.repeat(40_001);
    const { message, ts } = await must(server, 'chat.postMessage', token, { channel: general, text });
    assert.equal(message.text, text.slice(1));
    assert.equal((await call(server, 'chat.update', token, { channel: general, ts, text })).error, 'msg_too_long');
  });

  test('no token is not_authed, a wrong one is invalid_auth', async () => {
    assert.deepEqual(await call(server, 'auth.test'), { ok: false, error: 'not_authed' });
    for (const bad of ['xoxp-wrong', `${token}x`, token.slice(0, -1), 'Bearer', '☃'.normalize() && 'snow']) {
      assert.deepEqual(await call(server, 'auth.test', bad), { ok: false, error: 'invalid_auth' });
    }
  });

  test('an unknown method says so, and which', async () => {
    for (const method of ['files.upload', 'chat.postmessage', 'nonsense', 'chat', 'a'.repeat(300)]) {
      const json = await call(server, method, token, { x: 1 });
      assert.equal(json.ok, false);
      assert.equal(json.error, 'unknown_method');
    }
    assert.deepEqual(await call(server, 'files.upload', token), {
      ok: false,
      error: 'unknown_method',
      req_method: 'files.upload',
    });
  });

  test('an unknown path is 404', async () => {
    assert.equal((await request(server, { method: 'GET', path: '/nowhere' })).status, 404);
    assert.equal((await request(server, { method: 'GET', path: '/rtm' })).status, 404);
  });

  test('the page at / says what this is', async () => {
    const { status, headers, text } = await request(server, { method: 'GET', path: '/' });
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/html/);
    assert.match(text, /Taut/);
  });

  test('after all of that the server still serves', async () => {
    const { ts } = await must(server, 'chat.postMessage', token, { channel: general, text: 'alive' });
    const { messages } = await must(server, 'conversations.history', token, { channel: general, limit: 1 });
    assert.equal(messages[0].ts, ts);
  });
});
