// Shapes that bots rely on, and pages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { call, many, must, request } from './lib/http.mjs';
import { refused, webClient } from './lib/people.mjs';
import { Server, taut } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

describe('methods', { timeout: 90_000 }, () => {
  let server, ada, web, bot, general;
  before(async () => {
    server = await Server.start();
    ada = server.users[0];
    web = webClient(server, ada.token);
    bot = webClient(server, server.bot.token);
    general = server.channel('general');
  });
  after(() => server.stop());

  test('api.test echoes, with and without a token', async () => {
    assert.deepEqual(await call(server, 'api.test'), { ok: true });
    const echoed = await call(server, 'api.test', undefined, { foo: 'bar' });
    assert.equal(echoed.ok, true);
    assert.equal(echoed.args.foo, 'bar');
    const failed = await call(server, 'api.test', undefined, { error: 'my_error' });
    assert.equal(failed.ok, false);
    assert.equal(failed.error, 'my_error');
  });

  test('auth.test tells a person and a bot who they are', async () => {
    const { ok, url, team, user, team_id, user_id, bot_id } = await web.auth.test();
    assert.deepEqual(
      { ok, url, team, user, team_id, user_id, bot_id },
      {
        ok: true,
        url: `${server.url.replace(/\/$/, '')}/`,
        team: server.team.name,
        user: ada.name,
        team_id: server.team.id,
        user_id: ada.id,
        bot_id: undefined,
      },
    );
    const b = await bot.auth.test();
    assert.equal(b.bot_id, server.bot.id);
    assert.equal(b.user_id, server.bot.user_id);
  });

  test('team.info and users.info and bots.info know them', async () => {
    const { team } = await web.team.info();
    assert.deepEqual({ id: team.id, name: team.name, domain: team.domain }, server.team);
    const { user } = await bot.users.info({ user: ada.id });
    assert.equal(user.name, ada.name);
    assert.equal(user.team_id, server.team.id);
    assert.equal(user.is_bot, false);
    assert.equal(typeof user.profile.real_name, 'string');
    const b = await web.bots.info({ bot: server.bot.id });
    assert.equal(b.bot.user_id, server.bot.user_id);
    await refused(web.users.info({ user: 'U0000000000' }), 'user_not_found');
    await refused(web.bots.info({ bot: 'B0000000000' }), 'bot_not_found');
  });

  test('users.list gives everybody once, over pages', async () => {
    const seen = [];
    for await (const page of web.paginate('users.list', { limit: 2 })) {
      assert.ok(page.members.length <= 2);
      seen.push(...page.members.map((u) => u.id));
    }
    assert.equal(new Set(seen).size, seen.length);
    for (const u of [...server.users.map((x) => x.id), server.bot.user_id]) assert.ok(seen.includes(u), u);
  });

  test('conversations.list gives every channel once, over pages, public ones only unless asked', async () => {
    await many(9, 3, (i) => must(server, 'conversations.create', ada.token, { name: `page-${i}` }));
    const seen = [];
    for await (const page of web.paginate('conversations.list', { limit: 4 })) {
      assert.ok(page.channels.length <= 4);
      seen.push(...page.channels);
    }
    assert.equal(new Set(seen.map((c) => c.id)).size, seen.length);
    assert.equal(seen.filter((c) => c.name.startsWith('page-')).length, 9);
    assert.ok(seen.every((c) => !c.is_private));
  });

  test('conversations.members gives everybody once, over pages', async () => {
    const seen = [];
    for await (const page of web.paginate('conversations.members', { channel: general, limit: 2 })) seen.push(...page.members);
    assert.equal(new Set(seen).size, seen.length);
    for (const u of server.users) assert.ok(seen.includes(u.id));
  });

  test('conversations.history pages backwards, with oldest, latest and inclusive', async () => {
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'long-story' });
    const c = channel.id;
    const ts = [];
    for (let i = 0; i < 25; i++) ts.push((await must(server, 'chat.postMessage', ada.token, { channel: c, text: `m${i}` })).ts);
    const seen = [];
    for await (const page of web.paginate('conversations.history', { channel: c, limit: 10 })) {
      seen.push(...page.messages.filter((m) => !m.subtype).map((m) => m.text));
    }
    assert.deepEqual(seen, Array.from({ length: 25 }, (_, i) => `m${24 - i}`));
    const history = async (args) => (await web.conversations.history({ channel: c, ...args })).messages.map((m) => m.text);
    assert.deepEqual(await history({ oldest: ts[3], latest: ts[6] }), ['m5', 'm4']);
    assert.deepEqual(await history({ oldest: ts[3], latest: ts[6], inclusive: true }), ['m6', 'm5', 'm4', 'm3']);
    assert.deepEqual(await history({ latest: ts[9], inclusive: true, limit: 1 }), ['m9']);
    assert.equal((await web.conversations.history({ channel: c, limit: 5 })).has_more, true);
  });

  test('conversations.replies pages forward and begins with the parent', async () => {
    const parent = await must(server, 'chat.postMessage', ada.token, { channel: general, text: 'root' });
    for (let i = 0; i < 7; i++)
      await must(server, 'chat.postMessage', ada.token, { channel: general, thread_ts: parent.ts, text: `r${i}` });
    const seen = [];
    for await (const page of web.paginate('conversations.replies', { channel: general, ts: parent.ts, limit: 3 })) {
      assert.equal(page.messages[0].text, 'root');
      for (const m of page.messages) if (!seen.includes(m.text)) seen.push(m.text);
    }
    assert.deepEqual(seen, ['root', 'r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6']);
    await refused(web.conversations.replies({ channel: general, ts: '1.000001' }), 'thread_not_found');
  });

  test('a cursor that is none is invalid_cursor, a limit that is none is invalid_limit', async () => {
    for (const [method, args] of [
      ['users.list', {}],
      ['conversations.list', {}],
      ['conversations.history', { channel: general }],
      ['conversations.members', { channel: general }],
      ['users.conversations', {}],
    ]) {
      assert.equal((await call(server, method, ada.token, { ...args, cursor: 'no cursor' })).error, 'invalid_cursor', method);
    }
    for (const [method, args] of [
      ['users.list', {}],
      ['conversations.list', {}],
      ['conversations.history', { channel: general }],
      ['conversations.replies', { channel: general, ts: '1.000001' }],
      ['conversations.members', { channel: general }],
      ['users.conversations', {}],
    ])
      for (const limit of [0, -1, 'ten', 1.5])
        assert.equal((await call(server, method, ada.token, { ...args, limit })).error, 'invalid_limit', `${method} ${limit}`);
  });

  test('users have pictures of every size, which are there', async () => {
    const { user } = await web.users.info({ user: ada.id });
    for (const size of [24, 32, 48, 72, 192, 512]) assert.match(user.profile[`image_${size}`], /^http/);
    const picture = await request(server, { method: 'GET', path: new URL(user.profile.image_72).pathname });
    assert.equal(picture.status, 200);
    assert.equal(picture.headers['content-type'], 'image/png');
    assert.match(picture.text.slice(1), /^PNG/);
  });

  test('the message of a bot says whose it is, and no scope is claimed that is not honoured', async () => {
    const { message } = await bot.chat.postMessage({ channel: general, text: 'beep' });
    assert.match(message.app_id, /^A/);
    assert.equal(message.bot_profile.app_id, message.app_id);
    assert.deepEqual(message.bot_profile.icons, {});
    const { headers } = await request(server, { path: '/api/auth.test', headers: { authorization: `Bearer ${server.bot.token}` } });
    assert.match(headers['x-oauth-scopes'], /chat:write/);
    assert.doesNotMatch(headers['x-oauth-scopes'], /chat:write\./);
  });

  test('users.conversations of another: what one shares, and cursors that give nothing away', async () => {
    const ben = server.users[1];
    const made = async (token, name, is_private) => (await must(server, 'conversations.create', token, { name, is_private })).channel.id;
    const hidden = [];
    for (let i = 0; i < 4; i++) hidden.push(await made(ben.token, `hidden-${i}`, true));
    const open = await made(ben.token, 'open-to-all', false);
    const shared = await made(ben.token, 'shared', true);
    await must(server, 'conversations.invite', ben.token, { channel: shared, users: ada.id });
    const foreign = await made(ada.token, 'without-ben', true);
    const types = 'public_channel,private_channel,im,mpim';
    const seen = [];
    let cursor = '';
    do {
      const page = await must(server, 'users.conversations', ada.token, { user: ben.id, types, limit: 2, cursor });
      cursor = page.response_metadata?.next_cursor ?? '';
      const where = Buffer.from(cursor, 'base64').toString();
      for (const id of hidden) assert.ok(!where.includes(id));
      seen.push(...page.channels.map((c) => c.id));
    } while (cursor);
    assert.ok(seen.includes(open) && seen.includes(shared) && seen.includes(general));
    assert.equal(new Set(seen).size, seen.length);
    for (const id of [...hidden, foreign]) assert.ok(!seen.includes(id));
    for (const id of hidden) { // nor does a made-up position say whether there is something behind it
      const before = Buffer.from(`joined:${id.slice(0, -1)}`).toString('base64');
      const page = await must(server, 'users.conversations', ada.token, { user: ben.id, types, limit: 1, cursor: before });
      assert.ok(!Buffer.from(page.response_metadata?.next_cursor ?? '', 'base64').toString().includes(id));
    }
  });

  test('a page of large messages ends early, and goes on', async () => {
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'heavy' });
    const text = 'x'.repeat(40_000);
    const first = await must(server, 'chat.postMessage', ada.token, { channel: channel.id, text: 'root' });
    await many(60, 8, (i) => must(server, 'chat.postMessage', ada.token, { channel: channel.id, text: `${i} ${text}`.slice(0, 40_000) }));
    await many(60, 8, (i) =>
      must(server, 'chat.postMessage', ada.token, { channel: channel.id, thread_ts: first.ts, text: `${i} ${text}`.slice(0, 40_000) }),
    );
    for (const [method, args] of [['conversations.history', {}], ['conversations.history', { oldest: first.ts, inclusive: true }], ['conversations.replies', { ts: first.ts }]]) {
      const seen = [];
      let cursor = '', pages = 0;
      do {
        const { json, text: body } = await request(server, {
          path: `/api/${method}`,
          headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${ada.token}` },
          body: JSON.stringify({ channel: channel.id, limit: 999, cursor, ...args }),
        });
        assert.equal(json.ok, true);
        assert.ok(body.length < 1.5e6, `${method}: a page of ${body.length} bytes`);
        cursor = json.response_metadata?.next_cursor ?? '';
        assert.equal(json.has_more, cursor !== '');
        seen.push(...json.messages.map((m) => m.ts));
        pages++;
      } while (cursor);
      assert.equal(new Set(seen).size, 61, method);
      assert.ok(pages > 2);
    }
  });

  test('history with only an oldest begins there, newest first in each page', async () => {
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'since' });
    const ts = [];
    for (let i = 0; i < 9; i++) ts.push((await must(server, 'chat.postMessage', ada.token, { channel: channel.id, text: `m${i}` })).ts);
    const pages = [];
    for await (const page of web.paginate('conversations.history', { channel: channel.id, oldest: ts[1], limit: 3 }))
      pages.push(page.messages.map((m) => m.text));
    assert.deepEqual(pages, [['m4', 'm3', 'm2'], ['m7', 'm6', 'm5'], ['m8']]);
    const texts = async (args) => (await must(server, 'conversations.history', ada.token, { channel: channel.id, ...args })).messages.map((m) => m.text);
    assert.deepEqual(await texts({ oldest: ts[1], latest: ts[6], limit: 2 }), ['m5', 'm4']);
    assert.deepEqual(await texts({ oldest: ts[1], latest: 'now', limit: 2 }), ['m8', 'm7']);
    assert.deepEqual(await texts({ oldest: `${ts[6]}9`, inclusive: true }), ['m8', 'm7', 'm6']);
  });

  test('what is wrong with blocks, attachments and metadata has its code', async () => {
    const error = async (args, method = 'chat.postMessage') => (await call(server, method, ada.token, { channel: general, text: 'x', ...args })).error;
    assert.equal(await error({ blocks: '{}' }), 'invalid_blocks_format');
    assert.equal(await error({ blocks: [{ text: 'no type' }] }), 'invalid_blocks');
    assert.equal(await error({ blocks: Array(51).fill({ type: 'divider' }) }), 'invalid_blocks');
    assert.equal(await error({ attachments: {} }), 'invalid_attachments');
    assert.equal(await error({ metadata: [] }), 'invalid_metadata_format');
    assert.equal(await error({ metadata: { event_type: 'a' } }), 'invalid_metadata_schema');
    assert.equal(await error({ markdown_text: 'y' }), 'markdown_text_conflict');
    const { ts, message } = await must(server, 'chat.postMessage', ada.token, { channel: general, markdown_text: '**bold**' });
    assert.equal(message.text, '**bold**');
    assert.equal((await call(server, 'chat.update', ada.token, { channel: general, ts })).error, 'no_text');
    assert.equal((await call(server, 'reactions.add', ada.token, { file: 'F1', name: 'wave' })).error, 'file_not_found');
    assert.equal((await call(server, 'reactions.add', ada.token, { name: 'wave' })).error, 'no_item_specified');
  });

  test('history shows metadata when asked, and whom a broadcast answers', async () => {
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'loud' });
    const c = channel.id;
    const metadata = { event_type: 'deploy', event_payload: { id: 1 } };
    const { ts } = await must(server, 'chat.postMessage', ada.token, { channel: c, text: 'root', metadata });
    await must(server, 'chat.postMessage', ada.token, { channel: c, text: 'hear', thread_ts: ts, reply_broadcast: true });
    const plain = (await must(server, 'conversations.history', ada.token, { channel: c })).messages;
    assert.equal(plain.find((m) => m.ts === ts).metadata, undefined);
    assert.equal(plain.find((m) => m.text === 'hear').parent_user_id, ada.id);
    const full = (await must(server, 'conversations.history', ada.token, { channel: c, include_all_metadata: true })).messages;
    assert.deepEqual(full.find((m) => m.ts === ts).metadata, metadata);
  });

  test('conversations.create keeps names as Slack does', async () => {
    const error = async (name) => (await call(server, 'conversations.create', ada.token, { name })).error;
    assert.equal(await error('general'), 'name_taken');
    assert.equal(await error(''), 'invalid_name_required');
    assert.equal(await error('x'.repeat(81)), 'invalid_name_maxlength');
    assert.equal(await error('Has Capitals and blanks'), 'invalid_name_specials');
    assert.equal(await error('---'), 'invalid_name_punctuation');
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'größe_2-ok' });
    assert.equal(channel.name, 'größe_2-ok');
    assert.equal(channel.creator, ada.id);
    assert.equal(channel.is_channel, true);
    assert.equal(typeof channel.created, 'number');
    assert.equal(typeof channel.topic.value, 'string');
  });

  test('reactions are added once, and removed by who gave them', async () => {
    const { ts } = await must(server, 'chat.postMessage', ada.token, { channel: general, text: 'react' });
    const args = { channel: general, timestamp: ts, name: 'wave' };
    await must(server, 'reactions.add', ada.token, args);
    assert.equal((await call(server, 'reactions.add', ada.token, args)).error, 'already_reacted');
    assert.equal((await call(server, 'reactions.remove', server.users[1].token, args)).error, 'no_reaction');
    assert.equal((await call(server, 'reactions.add', ada.token, { ...args, name: 'not a name' })).error, 'invalid_name');
    assert.equal((await call(server, 'reactions.add', ada.token, { ...args, timestamp: '1.000001' })).error, 'message_not_found');
    await must(server, 'reactions.remove', ada.token, args);
  });

  test('ts rises within a channel however many post at once', async () => {
    const { channel } = await must(server, 'conversations.create', ada.token, { name: 'crowd' });
    const posts = await many(200, 50, (i) => must(server, 'chat.postMessage', ada.token, { channel: channel.id, text: `${i}` }));
    assert.equal(new Set(posts.map((p) => p.ts)).size, 200);
    const { messages } = await must(server, 'conversations.history', ada.token, { channel: channel.id, limit: 300 });
    const ts = messages.map((m) => m.ts);
    assert.deepEqual(ts, [...ts].sort().reverse());
    assert.equal(messages.filter((m) => !m.subtype).length, 200);
  });
});

describe('accounts', { timeout: 90_000 }, () => {
  let server, ada;
  before(async () => {
    server = await Server.start();
    ada = server.users[0];
  });
  after(() => server.stop());
  const run = async (...args) => {
    const r = await taut([...args, '--data', server.data, '--json']);
    return r.code === 0 ? r.json : { error: r.err };
  };
  const error = async (token) => (await call(server, 'auth.test', token)).error;

  test('users are revoked and let in again, but not the last owner', async () => {
    const { user } = await run('user', 'create', '--name', 'rita');
    const { token, id } = await run('token', 'create', '--user', 'rita');
    assert.equal((await run('user', 'revoke', 'rita')).user.deleted, true);
    assert.equal(await error(token), 'account_inactive');
    assert.equal((await run('user', 'activate', user.id)).user.deleted, false);
    assert.equal(await error(token), undefined);
    const owners = (await run('user', 'list')).users.filter((u) => u.owner);
    assert.equal(owners.length, 1);
    assert.match((await run('user', 'revoke', owners[0].name)).error, /last owner .* --force/);
    await run('user', 'create', '--name', 'second-owner', '--owner');
    assert.equal((await run('user', 'revoke', owners[0].name)).user.deleted, true);
    assert.match((await run('user', 'revoke', 'second-owner')).error, /last owner/);
    assert.equal((await run('user', 'revoke', 'second-owner', '--force')).user.deleted, true);
    for (const name of [owners[0].name, 'second-owner']) await run('user', 'activate', name);
    const listed = (await run('token', 'list', '--user', 'rita')).tokens[0];
    assert.equal(listed.id, id);
    assert.equal(listed.user, 'rita');
    assert.match(listed.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(listed.revoked, '');
    const bots = (await run('user', 'list')).users.filter((u) => u.bot_id);
    assert.ok(bots.some((b) => b.id === server.bot.user_id));
  });

  test('a workspace is revoked: sockets close, tokens are good for nothing, and its data comes back', async () => {
    const socket = await Socket.connect(server, ada.token);
    const { url } = await must(server, 'rtm.connect', ada.token);
    assert.equal((await run('workspace', 'revoke', server.team.id)).workspace.revoked, true);
    await socket.closed;
    assert.equal(await error(ada.token), 'account_inactive');
    const late = Socket.open(url);
    await late.next('the refusal', (f) => f.type === 'error');
    assert.equal((await run('workspace', 'list')).workspaces[0].revoked, true);
    assert.equal((await run('workspace', 'activate', server.team.domain)).workspace.revoked, false);
    assert.equal(await error(ada.token), undefined);
  });
});
