// Two people and a bot, with Slack's unmodified SDKs: who sees what, in which order.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { brief, Person, refused, settled } from './lib/people.mjs';
import { Server } from './lib/server.mjs';

const texts = (events) => events.filter((e) => e.type === 'message' && !e.subtype).map((e) => e.text);
// What the test itself made happen: markers, and the lines that a server writes about joins, are left out.
const told = (person, channel) =>
  person
    .of(channel)
    .filter((e) => !e.text?.startsWith('marker ') && !/_(join|leave|topic|purpose|name)$/.test(e.subtype ?? ''))
    .map(brief);

describe('two people and a bot', { timeout: 120_000 }, () => {
  let server, ada, ben, cleo, bot, general;
  before(async () => {
    server = await Server.start();
    [ada, ben, cleo] = await Promise.all(server.users.slice(0, 3).map((u) => Person.connect(server, u)));
    bot = await Person.connect(server, server.bot);
    general = server.channel('general');
  });
  after(() => server.stop());
  const settle = () => settled([ada, ben, cleo, bot], general);

  test('talk in a public channel, over the Web API and over RTM, and all see one order', async () => {
    const first = await ada.web.chat.postMessage({ channel: general, text: 'hello from the web' });
    const second = await ben.rtm.sendMessage('hello from rtm', general);
    const third = await bot.web.chat.postMessage({ channel: general, text: 'beep' });
    assert.equal(first.ok && second.ok && third.ok, true);
    assert.equal(first.channel, general);
    assert.equal(first.message.text, 'hello from the web');
    assert.equal(first.message.user, ada.id);
    assert.match(first.ts, /^\d{10}\.\d{6}$/);
    assert.ok(first.ts < second.ts && second.ts < third.ts);
    await settle();

    const expected = ['hello from the web', 'hello from rtm', 'beep'];
    for (const p of [ada, cleo, bot]) {
      assert.deepEqual(texts(p.of(general)).filter((t) => expected.includes(t)), expected, p.name);
    }
    const acked = texts(ben.of(general)).filter((t) => expected.includes(t));
    assert.deepEqual(acked, ['hello from the web', 'beep'], 'the sending connection has its ack instead');

    const event = cleo.of(general).find((e) => e.text === 'beep');
    assert.equal(event.ts, third.ts);
    assert.equal(event.team, server.team.id);
    assert.equal(event.bot_id, server.bot.id);
    assert.equal(typeof event.cursor, 'string');
  });

  test('talk in a private channel, unseen by who is not in it', async () => {
    const { channel } = await ada.web.conversations.create({ name: 'quiet-corner', is_private: true });
    assert.equal(channel.is_private, true);
    await ada.web.conversations.invite({ channel: channel.id, users: `${ben.id},${bot.id}` });
    await ada.web.chat.postMessage({ channel: channel.id, text: 'between us' });
    await bot.web.chat.postMessage({ channel: channel.id, text: 'I am here too' });
    await settle();

    assert.deepEqual(texts(ben.of(channel.id)), ['between us', 'I am here too']);
    assert.deepEqual(texts(bot.of(channel.id)), ['between us', 'I am here too']);
    assert.deepEqual(cleo.of(channel.id), []);
    for (const [method, args] of [
      ['conversations.info', {}],
      ['conversations.history', {}],
      ['conversations.members', {}],
      ['conversations.join', {}],
      ['chat.postMessage', { text: 'let me in' }],
    ]) {
      await refused(cleo.web.apiCall(method, { channel: channel.id, ...args }), 'channel_not_found');
    }
    const listed = await cleo.web.conversations.list({ types: 'public_channel,private_channel', limit: 200 });
    assert.ok(!listed.channels.some((c) => c.id === channel.id));
  });

  test('talk in a DM that nobody else sees', async () => {
    const opened = await ada.web.conversations.open({ users: ben.id });
    const again = await ben.web.conversations.open({ users: ada.id });
    const dm = opened.channel.id;
    assert.match(dm, /^D/);
    assert.equal(again.channel.id, dm);
    await ada.web.chat.postMessage({ channel: dm, text: 'psst' });
    await ben.rtm.sendMessage('what?', dm);
    await settle();

    assert.deepEqual(texts(ada.of(dm)), ['psst', 'what?']);
    assert.deepEqual(texts(ben.of(dm)), ['psst']);
    assert.deepEqual(cleo.of(dm), []);
    assert.deepEqual(bot.of(dm), []);
    const { messages } = await ben.web.conversations.history({ channel: dm });
    assert.deepEqual(messages.map((m) => m.text), ['what?', 'psst']);
    await refused(cleo.web.conversations.history({ channel: dm }), 'channel_not_found');
  });

  test('talk in a thread', async () => {
    const parent = await ada.web.chat.postMessage({ channel: general, text: 'a question' });
    await ben.web.chat.postMessage({ channel: general, thread_ts: parent.ts, text: 'an answer' });
    const reply = await bot.rtm.addOutgoingEvent(true, 'message', { channel: general, thread_ts: parent.ts, text: 'another' });
    assert.equal(reply.ok, true);
    await settle();

    const seen = cleo.of(general).filter((e) => e.thread_ts === parent.ts && !e.subtype && e.ts !== parent.ts);
    assert.deepEqual(texts(seen), ['an answer', 'another']);
    const { messages } = await cleo.web.conversations.replies({ channel: general, ts: parent.ts });
    assert.deepEqual(messages.map((m) => m.text), ['a question', 'an answer', 'another']);
    assert.equal(messages[0].reply_count, 2);
    const history = await cleo.web.conversations.history({ channel: general, limit: 50 });
    assert.ok(!history.messages.some((m) => m.text === 'an answer'), 'a reply stays in its thread');
  });

  test('edit, delete and react, and all see it in order', async () => {
    const { channel } = await ada.web.conversations.create({ name: 'workbench' });
    const c = channel.id;
    await ada.web.conversations.invite({ channel: c, users: `${ben.id},${bot.id}` });
    const { ts } = await ada.web.chat.postMessage({ channel: c, text: 'draft' });
    const edited = await ada.web.chat.update({ channel: c, ts, text: 'final' });
    assert.equal(edited.text, 'final');
    await ben.web.reactions.add({ channel: c, timestamp: ts, name: 'tada' });
    await bot.web.reactions.add({ channel: c, timestamp: ts, name: 'eyes' });
    const { message } = await ada.web.reactions.get({ channel: c, timestamp: ts });
    assert.deepEqual(
      message.reactions.map(({ name, count, users }) => ({ name, count, users })),
      [
        { name: 'tada', count: 1, users: [ben.id] },
        { name: 'eyes', count: 1, users: [bot.id] },
      ],
    );
    await ben.web.reactions.remove({ channel: c, timestamp: ts, name: 'tada' });
    await ada.web.chat.delete({ channel: c, ts });
    await settle();

    const expected = [
      'message:draft',
      'message_changed:final',
      'reaction_added:tada',
      'reaction_added:eyes',
      'reaction_removed:tada',
      `message_deleted:${ts}`,
    ];
    for (const p of [ada, ben, bot]) {
      const got = told(p, c).filter((b) => !/^(channel_|member_|group_)/.test(b));
      assert.deepEqual(got, expected, p.name);
    }
    assert.deepEqual(cleo.of(c).filter((e) => e.type === 'message' || /^reaction/.test(e.type)), []);
    const changed = ben.of(c).find((e) => e.subtype === 'message_changed');
    assert.equal(changed.previous_message.text, 'draft');
    assert.equal(changed.message.edited.user, ada.id);
    const reaction = ada.of(c).find((e) => e.type === 'reaction_added');
    assert.deepEqual(
      { user: reaction.user, item_user: reaction.item_user, item: reaction.item },
      { user: ben.id, item_user: ada.id, item: { type: 'message', channel: c, ts } },
    );
    const { messages } = await ben.web.conversations.history({ channel: c });
    assert.ok(!messages.some((m) => m.ts === ts));
  });

  test('may not edit or delete what another wrote', async () => {
    const { ts } = await ada.web.chat.postMessage({ channel: general, text: 'mine' });
    await refused(ben.web.chat.update({ channel: general, ts, text: 'yours' }), 'cant_update_message');
    await refused(bot.web.chat.delete({ channel: general, ts }), 'cant_delete_message');
    await settle();
    assert.ok(!ben.of(general).some((e) => e.subtype && (e.message?.ts === ts || e.deleted_ts === ts)));
  });

  test('see joins and kicks, and one who was kicked sees nothing more', async () => {
    const { channel } = await ada.web.conversations.create({ name: 'doorway' });
    const c = channel.id;
    await ben.web.conversations.join({ channel: c });
    await ada.sees('the join', (e) => e.type === 'member_joined_channel' && e.channel === c && e.user === ben.id);
    await ada.web.chat.postMessage({ channel: c, text: 'welcome' });
    await ada.web.conversations.kick({ channel: c, user: ben.id });
    await ada.web.chat.postMessage({ channel: c, text: 'he is gone' });
    await settle();

    assert.ok(ada.of(c).some((e) => e.type === 'member_left_channel' && e.user === ben.id));
    assert.deepEqual(texts(ben.of(c)), ['welcome']);
    await refused(ben.web.chat.postMessage({ channel: c, text: 'hey' }), 'not_in_channel');
    await assert.rejects(ben.rtm.sendMessage('hey', c), /not a member of this channel/);

    await ben.web.conversations.join({ channel: c });
    await ada.web.chat.postMessage({ channel: c, text: 'back again' });
    await settle();
    assert.deepEqual(texts(ben.of(c)), ['welcome', 'back again']);
  });

  test('leave a private channel for good', async () => {
    const { channel } = await ada.web.conversations.create({ name: 'attic', is_private: true });
    const c = channel.id;
    await ada.web.conversations.invite({ channel: c, users: ben.id });
    await ada.web.chat.postMessage({ channel: c, text: 'one' });
    await ben.web.conversations.leave({ channel: c });
    await ada.web.chat.postMessage({ channel: c, text: 'two' });
    await settle();
    assert.deepEqual(texts(ben.of(c)), ['one']);
    await refused(ben.web.conversations.history({ channel: c }), 'channel_not_found');
    const mine = await ben.web.users.conversations({ types: 'private_channel', limit: 200 });
    assert.ok(!mine.channels.some((x) => x.id === c));
  });

  test('never leave a private channel without anybody, however many leave at once', async () => {
    for (let i = 0; i < 5; i++) {
      const { channel } = await ada.web.conversations.create({ name: `empty-${i}`, is_private: true });
      const c = channel.id;
      await ada.web.conversations.invite({ channel: c, users: `${ben.id},${cleo.id}` });
      const left = await Promise.allSettled([ada, ben, cleo].map((p) => p.web.conversations.leave({ channel: c })));
      assert.equal(left.filter((r) => r.status === 'fulfilled').length, 2);
      assert.equal(left.find((r) => r.status === 'rejected').reason.data.error, 'last_member');
    }
  });

  test('find no thread in a DM that is not there yet, and the DM is not made by asking', async () => {
    const post = (args) => bot.web.chat.postMessage({ channel: cleo.id, text: 'hm', ...args });
    await refused(post({ thread_ts: '1512085950.000216' }), 'thread_not_found');
    await refused(bot.web.conversations.open({ users: cleo.id, prevent_creation: true }), 'channel_not_found');
    assert.match((await post({})).channel, /^D/);
    const { channel } = await cleo.web.conversations.open({ users: bot.id, return_im: true });
    assert.equal(channel.unread_count, 1);
    assert.equal(channel.latest.text, 'hm');
    assert.equal(typeof channel.last_read, 'string');
    const fresh = await bot.web.conversations.open({ users: ben.id, return_im: true });
    assert.equal(fresh.channel.unread_count, 0);
    assert.match(fresh.channel.last_read, /^0+\.0+$/);
  });

  test('leave no trace of a thread when its last replies go at once', async () => {
    const { channel } = await ada.web.conversations.create({ name: 'stones' });
    const c = channel.id;
    for (let i = 0; i < 5; i++) {
      const { ts } = await ada.web.chat.postMessage({ channel: c, text: 'root' });
      const replies = [];
      for (const text of ['a', 'b']) replies.push((await ada.web.chat.postMessage({ channel: c, thread_ts: ts, text })).ts);
      await ada.web.chat.delete({ channel: c, ts });
      await Promise.all(replies.map((r) => ada.web.chat.delete({ channel: c, ts: r })));
      const { messages } = await ada.web.conversations.history({ channel: c });
      assert.deepEqual(messages.map((m) => m.text), []);
      await refused(ada.web.conversations.replies({ channel: c, ts }), 'thread_not_found');
      await refused(ada.web.chat.postMessage({ channel: c, thread_ts: ts, text: 'late' }), 'thread_not_found');
      await refused(ada.web.reactions.add({ channel: c, timestamp: ts, name: 'eyes' }), 'message_not_found');
    }
  });

  test('see that somebody types, and the one who types does not', async () => {
    await ada.rtm.sendTyping(general);
    const event = await ben.sees('typing', (e) => e.type === 'user_typing' && e.channel === general);
    assert.equal(event.user, ada.id);
    await settle();
    assert.ok(!ada.events.some((e) => e.type === 'user_typing'));
  });

  test('mark what they have read without telling others', async () => {
    const { ts } = await ada.web.chat.postMessage({ channel: general, text: 'read me' });
    const marked = await ben.web.conversations.mark({ channel: general, ts });
    assert.equal(marked.ok, true);
    await settle();
    assert.ok(!ada.events.some((e) => /_marked$/.test(e.type)));
  });
});
