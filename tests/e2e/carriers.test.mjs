// Every way in which SDKs carry arguments and the token.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { bearer, FORM_TYPE, JSON_TYPE, request } from './lib/http.mjs';
import { Server } from './lib/server.mjs';

describe('arguments and tokens', { timeout: 60_000 }, () => {
  let server, token, general;
  before(async () => {
    server = await Server.start();
    token = server.users[0].token;
    general = server.channel('general');
  });
  after(() => server.stop());

  const form = (fields) => new URLSearchParams(fields).toString();
  const api = async (method, rest) => (await request(server, { path: `/api/${method}`, ...rest })).json;
  const posted = (answer, text) => {
    assert.equal(answer.ok, true, JSON.stringify(answer));
    assert.equal(answer.message.text, text);
  };

  test('come in a form', async () => {
    posted(
      await api('chat.postMessage', {
        headers: { ...FORM_TYPE, ...bearer(token) },
        body: form({ channel: general, text: 'a form: ä + 100%' }),
      }),
      'a form: ä + 100%',
    );
  });

  test('come in JSON', async () => {
    posted(
      await api('chat.postMessage', {
        headers: { ...JSON_TYPE, ...bearer(token) },
        body: JSON.stringify({ channel: general, text: 'JSON: ä\n"q"' }),
      }),
      'JSON: ä\n"q"',
    );
  });

  test('come in the query, with an empty body that calls itself a form', async () => {
    posted(
      await api(`chat.postMessage?${form({ channel: general, text: 'query' })}`, {
        headers: { ...FORM_TYPE, ...bearer(token) },
      }),
      'query',
    );
  });

  test('come in the query of a GET', async () => {
    const answer = await api(`conversations.info?${form({ channel: general })}`, { method: 'GET', headers: bearer(token) });
    assert.equal(answer.channel.id, general);
  });

  test('come half in the query and half in the body', async () => {
    posted(
      await api(`chat.postMessage?${form({ channel: general, text: 'from the query' })}`, {
        headers: { ...JSON_TYPE, ...bearer(token) },
        body: JSON.stringify({ text: 'from the body' }),
      }),
      'from the body',
    );
  });

  test('may be none: an empty JSON body', async () => {
    const answer = await api('auth.test', {
      headers: { 'content-type': 'application/json;charset=utf-8', ...bearer(token) },
    });
    assert.equal(answer.ok, true);
    assert.equal(answer.user_id, server.users[0].id);
  });

  test('may be none: the JSON literal null', async () => {
    const answer = await api('rtm.connect', { headers: { ...JSON_TYPE, ...bearer(token) }, body: 'null' });
    assert.equal(answer.ok, true);
  });

  test('may be none: a POST without a body or a type', async () => {
    const answer = await api('auth.test', { headers: bearer(token) });
    assert.equal(answer.ok, true);
  });

  test('may hold JSON text in a form field', async () => {
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'a block' } }];
    const answer = await api('chat.postMessage', {
      headers: { ...FORM_TYPE, ...bearer(token) },
      body: form({ channel: general, text: 'with blocks', blocks: JSON.stringify(blocks) }),
    });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    assert.equal(answer.message.blocks[0].text.text, 'a block');
  });

  test('may hold arrays in JSON, as themselves or as text', async () => {
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'a block' } }];
    for (const value of [blocks, JSON.stringify(blocks)]) {
      const answer = await api('chat.postMessage', {
        headers: { ...JSON_TYPE, ...bearer(token) },
        body: JSON.stringify({ channel: general, text: 'with blocks', blocks: value }),
      });
      assert.equal(answer.message.blocks[0].text.text, 'a block');
    }
  });

  test('spell booleans 1, 0, true, false, or as JSON has them', async () => {
    const create = async (name, is_private, type) => {
      const body = type === FORM_TYPE ? form({ name, is_private }) : JSON.stringify({ name, is_private });
      const answer = await api('conversations.create', { headers: { ...type, ...bearer(token) }, body });
      assert.equal(answer.ok, true, JSON.stringify(answer));
      return answer.channel.is_private;
    };
    assert.equal(await create('bool-1', '1', FORM_TYPE), true);
    assert.equal(await create('bool-0', '0', FORM_TYPE), false);
    assert.equal(await create('bool-true', 'true', FORM_TYPE), true);
    assert.equal(await create('bool-false', 'false', FORM_TYPE), false);
    assert.equal(await create('bool-json-true', true, JSON_TYPE), true);
    assert.equal(await create('bool-json-false', false, JSON_TYPE), false);
  });

  test('spell lists with commas or as JSON arrays', async () => {
    const types = ['public_channel', 'private_channel'];
    for (const value of [types.join(','), types.join(', '), types]) {
      const answer = await api('conversations.list', {
        headers: { ...JSON_TYPE, ...bearer(token) },
        body: JSON.stringify({ types: value, limit: 200 }),
      });
      assert.ok(answer.channels.some((c) => c.is_private) && answer.channels.some((c) => !c.is_private));
    }
  });

  test('find the token in the header, the form or the query, and the header wins', async () => {
    const other = server.users[1];
    const who = async (rest) => (await api(rest.path ?? 'auth.test', rest)).user_id;
    assert.equal(await who({ headers: bearer(token) }), server.users[0].id);
    assert.equal(await who({ headers: FORM_TYPE, body: form({ token: other.token }) }), other.id);
    const query = await request(server, { method: 'GET', path: `/api/auth.test?${form({ token: other.token })}` });
    assert.equal(query.json.user_id, other.id);
    assert.equal(
      await who({ headers: { ...FORM_TYPE, ...bearer(token) }, body: form({ token: other.token }) }),
      server.users[0].id,
    );
  });

  test('do not take a token out of a JSON body', async () => {
    const answer = await api('auth.test', { headers: JSON_TYPE, body: JSON.stringify({ token }) });
    assert.deepEqual(answer, { ok: false, error: 'not_authed' });
  });

  test('earn a warning for a charset too few or too many', async () => {
    const few = await api('auth.test', { headers: { 'content-type': 'application/json', ...bearer(token) }, body: '{}' });
    assert.equal(few.warning, 'missing_charset');
    assert.deepEqual(few.response_metadata.warnings, ['missing_charset']);
    const many = await api('auth.test', {
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', ...bearer(token) },
      body: 'a=b',
    });
    assert.equal(many.warning, 'superfluous_charset');
  });

  test('are answered with HTTP 200 and compact JSON', async () => {
    const { status, headers, text } = await request(server, { path: '/api/auth.test', headers: bearer(token) });
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.ok(text.startsWith('{"ok":true,'), text.slice(0, 40));
    const failed = await request(server, { path: '/api/auth.test' });
    assert.equal(failed.status, 200);
    assert.equal(failed.text, '{"ok":false,"error":"not_authed"}');
  });
});
