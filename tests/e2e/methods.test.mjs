// Shapes that bots rely on, and pages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { call, many, must } from './lib/http.mjs';
import { refused, webClient } from './lib/people.mjs';
import { Server } from './lib/server.mjs';

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
    assert.equal((await call(server, 'users.list', ada.token, { limit: -1 })).error, 'invalid_limit');
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
