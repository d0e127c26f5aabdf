// What somebody is not in does not exist for them: by every method, by a socket's frames, by events. Whoever is not in
// a private channel, a DM or a group DM, or is of another workspace, gets the very answer that they get for an id that
// nobody has. The tables below must name every method that the modules offer.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { call, must } from './lib/http.mjs';
import * as places from './lib/places.mjs';
import { Server } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

// Methods that take a channel: calls about a place, each of which would succeed for one of its members. Those marked
// with `shows` answer a member with what is hidden from others. The last ones end what they are about.
const shows = (args) => ({ args, shows: true });
const silent = (args) => ({ args });
const ABOUT_A_PLACE = {
  'conversations.info': (p) => [shows({ channel: p.id, include_num_members: true })],
  'conversations.members': (p) => [shows({ channel: p.id }), shows({ channel: p.id, limit: 1, cursor: p.members_cursor })],
  'conversations.history': (p) => [
    shows({ channel: p.id }),
    shows({ channel: p.id, oldest: p.ts, latest: p.ts, inclusive: true, limit: 1 }),
    shows({ channel: p.id, limit: 1, cursor: p.history_cursor }),
  ],
  'conversations.replies': (p) => [shows({ channel: p.id, ts: p.ts })],
  'reactions.get': (p) => [shows({ channel: p.id, timestamp: p.ts })],
  'conversations.join': (p) => [silent({ channel: p.id })],
  'conversations.invite': (p, who) => [silent({ channel: p.id, users: who.id }), silent({ channel: p.id, users: p.other.id })],
  'conversations.mark': (p) => [silent({ channel: p.id, ts: p.last })],
  'chat.postMessage': (p) => [
    silent({ channel: p.id, text: 'let me in' }),
    silent({ channel: p.id, text: 'let me in', thread_ts: p.ts }),
    silent({ channel: p.id, text: 'let me in', client_msg_id: p.key }),
  ],
  'reactions.add': (p) => [silent({ channel: p.id, timestamp: p.ts, name: 'eyes' })],
  'reactions.remove': (p) => [silent({ channel: p.id, timestamp: p.ts, name: 'tada' })],
  'chat.update': (p) => [silent({ channel: p.id, ts: p.last, text: 'mine now' })],
  'chat.delete': (p) => [silent({ channel: p.id, ts: p.last })],
  'conversations.kick': (p) => [silent({ channel: p.id, user: p.other.id })],
  'conversations.open': (p) => [silent({ channel: p.id }), silent({ channel: p.id, return_im: true })],
  'conversations.leave': (p) => [silent({ channel: p.id })],
};

// Methods that list channels: called about oneself, about a member of the place, and with that one's cursor.
const TYPES = 'public_channel,private_channel,im,mpim';
const LISTS = {
  'conversations.list': (p) => [{ types: TYPES, limit: 999 }, { types: TYPES, cursor: p.list_cursor }],
  'users.conversations': (p) => [
    { types: TYPES, limit: 999 },
    { types: TYPES, limit: 999, user: p.owner.id },
    { types: TYPES, cursor: p.list_cursor },
  ],
};

// Methods that are about the workspace, which its people may see, and others may not.
const ABOUT_A_WORKSPACE = {
  'team.info': (w) => [{ team: w.id }],
  'users.info': (w) => [{ user: w.owner.id }],
  'bots.info': (w) => [{ bot: w.bot_id }],
  'users.list': () => [{ limit: 1000 }],
  'auth.test': () => [{}],
  'rtm.connect': () => [{}],
};
const ABOUT_NOTHING = ['api.test', 'conversations.create'];

const ghost = (id) => `${id[0]}${'0'.repeat(id.length - 1)}`;
const nameOf = (who, place) => `${who.name} at the ${place.kind} of ${place.owner.name}`;

function assertHushed(what, answer, place) {
  const text = JSON.stringify(answer);
  for (const secret of [place.word, place.id, place.ts, place.last]) assert.ok(!text.includes(secret), `${what}: ${text}`);
}

describe('who is not in it', { timeout: 180_000 }, () => {
  let server, general, ada, ben, cy, dora, kicked, left, bot, other, olga, piet, marvin;
  let cases; // [{ place, outsiders }]
  const sockets = new Map(); // name -> one that was open while things happened
  before(async () => {
    server = await Server.start();
    general = server.channel('general');
    [ada, ben, cy] = server.users;
    const here = server.team.id;
    [dora, kicked, left] = await Promise.all(['dora', 'kit', 'lea'].map((name) => places.newcomer(server, name, here)));
    bot = { ...server.bot, id: server.bot.user_id, name: 'the bot' };
    other = await places.newWorkspace(server, 'Elsewhere', 'olga');
    olga = other.owner;
    piet = await places.newcomer(server, 'piet', other.id);
    marvin = await places.newBot(server, 'marvin', other.id);
    cases = await furnished();
    await Promise.all(cases.map(({ place }) => withCursors(place)));
  });
  after(() => server.stop());

  async function furnished() {
    const secret = await places.channel(server, 'private', [ada, ben, cy], [kicked, left]);
    await must(server, 'conversations.kick', ada.token, { channel: secret.id, user: kicked.id });
    await must(server, 'conversations.leave', left.token, { channel: secret.id });
    const strangers = [dora, kicked, left, bot, olga, marvin];
    const foreign = [ada, dora, bot];
    return [
      { place: secret, outsiders: strangers },
      { place: await places.direct(server, [ada, ben]), outsiders: [cy, ...strangers] },
      { place: await places.direct(server, [ada, ben, cy]), outsiders: strangers },
      { place: await places.channel(server, 'public', [olga, piet]), outsiders: foreign },
      { place: await places.channel(server, 'private', [olga, piet]), outsiders: [...foreign, marvin] },
      { place: await places.direct(server, [olga, piet]), outsiders: [...foreign, marvin] },
    ];
  }

  // Cursors that a member was given.
  async function withCursors(place) {
    const cursor = async (method, args) => (await must(server, method, place.owner.token, args)).response_metadata.next_cursor;
    place.members_cursor = await cursor('conversations.members', { channel: place.id, limit: 1 });
    place.history_cursor = await cursor('conversations.history', { channel: place.id, limit: 1 });
    place.list_cursor = await cursor('users.conversations', { types: TYPES, limit: 1 });
  }

  test('every method has its place in these tables', async () => {
    const offered = await places.methodsOffered();
    const known = [...Object.keys({ ...ABOUT_A_PLACE, ...LISTS, ...ABOUT_A_WORKSPACE }), ...ABOUT_NOTHING];
    assert.deepEqual(offered.map((m) => m.name).sort(), known.sort());
    for (const { name, args } of offered) assert.equal(args.includes('channel'), name in ABOUT_A_PLACE, name);
  });

  test('gets the answer of an id that nobody has, from every method that takes a channel', async () => {
    for (const { place, outsiders } of cases)
      for (const who of outsiders)
        for (const [method, calls] of Object.entries(ABOUT_A_PLACE)) {
          const of_ghost = calls({ ...place, id: ghost(place.id) }, who);
          for (const [i, { args }] of calls(place, who).entries()) {
            const what = `${method} by ${nameOf(who, place)} with ${JSON.stringify(args)}`;
            const answer = await call(server, method, who.token, args);
            assert.deepEqual({ what, ...answer }, { what, ...(await call(server, method, who.token, of_ghost[i].args)) });
            assert.deepEqual({ what, ...answer }, { what, ok: false, error: 'channel_not_found' });
          }
        }
  });

  test('finds it in no list, not in that of a member, not with a member’s cursor', async () => {
    for (const { place, outsiders } of cases)
      for (const who of outsiders)
        for (const [method, calls] of Object.entries(LISTS))
          for (const args of calls(place)) {
            const what = `${method} by ${nameOf(who, place)} with ${JSON.stringify(args)}`;
            const answer = await call(server, method, who.token, args);
            assertHushed(what, answer, place);
            if (args.user && place.owner.id !== who.id) {
              const is_foreign = (place.owner === olga) !== (who === marvin || who === olga);
              assert.equal(answer.error, is_foreign ? 'user_not_found' : undefined, what);
            }
          }
  });

  test('does not find its messages by their ts in another channel', async () => {
    const { channel } = await must(server, 'conversations.create', dora.token, { name: 'own' });
    for (const { place } of cases)
      for (const [method, calls] of Object.entries(ABOUT_A_PLACE)) {
        if (/join|invite|kick|open|leave/.test(method)) continue;
        for (const { args } of calls({ ...place, id: channel.id }, dora)) {
          const answer = await call(server, method, dora.token, args);
          const { ts, last } = place;
          const without_own = JSON.stringify(answer).replaceAll(`"thread_ts":"${ts}"`, ''); // what dora wrote herself
          assertHushed(`${method} with ${JSON.stringify(args)}`, JSON.parse(without_own), { ...place, ts: `"ts":"${ts}"`, last });
        }
      }
  });

  test('sees nothing of another workspace', async () => {
    const here = { id: server.team.id, owner: ada, bot_id: server.bot.id, insider: dora, outsider: olga };
    const there = { ...other, bot_id: (await must(server, 'auth.test', marvin.token)).bot_id, insider: piet, outsider: dora };
    for (const w of [here, there])
      for (const [method, calls] of Object.entries(ABOUT_A_WORKSPACE))
        for (const args of calls(w)) {
          const inside = await must(server, method, w.insider.token, args);
          const outside = await call(server, method, w.outsider.token, args);
          const [seen, unseen] = [inside, outside].map((a) => JSON.stringify(a));
          const what = `${method} with ${JSON.stringify(args)}: ${unseen}`;
          assert.ok([w.id, w.owner.id, w.bot_id].some((id) => seen.includes(id)), `${method} shows nothing to insiders: ${seen}`);
          for (const id of [w.id, w.owner.id, w.bot_id, w.insider.id]) assert.ok(!unseen.includes(id), what);
        }
    const secret = cases[0].place.id;
    for (const [method, args, error] of [
      ['conversations.open', (id) => ({ users: id }), 'user_not_found'],
      ['conversations.invite', (id) => ({ channel: secret, users: id }), 'user_not_found'],
      ['conversations.kick', (id) => ({ channel: secret, user: id }), 'user_not_found'],
      ['chat.postMessage', (id) => ({ channel: id, text: 'hello over there' }), 'channel_not_found'],
    ]) {
      const answer = await call(server, method, ada.token, args(piet.id));
      assert.deepEqual(answer, { ok: false, error }, method);
      assert.deepEqual(answer, await call(server, method, ada.token, args(ghost(piet.id))), method);
    }
  });

  test('gets the refusal of an id that nobody has when writing on a socket', async () => {
    for (const { place, outsiders } of cases)
      for (const who of outsiders) {
        if (!sockets.has(who.name)) sockets.set(who.name, await Socket.connect(server, who.token));
        const socket = sockets.get(who.name);
        const ask = async (channel) => {
          const id = 1 + (socket.asked = (socket.asked ?? 0) + 1);
          const { reply_to, ...answer } = await socket.ask({ type: 'message', id, channel, text: 'let me in' });
          assert.equal(reply_to, id);
          return answer;
        };
        const answer = await ask(place.id);
        assert.equal(answer.ok, false, nameOf(who, place));
        assert.deepEqual(answer, await ask(ghost(place.id)), nameOf(who, place));
        socket.send({ type: 'typing', id: 1, channel: place.id });
      }
  });

  test('sees no event of it', async () => {
    for (const { place } of cases) await happenings(place);
    const foreign = (await must(server, 'conversations.list', olga.token)).channels.find((c) => c.is_general).id;
    await must(server, 'conversations.join', marvin.token, { channel: foreign });
    await must(server, 'chat.postMessage', ben.token, { channel: general, text: 'that was all' });
    await must(server, 'chat.postMessage', piet.token, { channel: foreign, text: 'that was all' });
    for (const { place, outsiders } of cases)
      for (const who of outsiders) {
        const socket = sockets.get(who.name);
        await socket.next(`the last event, ${who.name}`, (f) => f.text === 'that was all');
        for (const frame of socket.frames) assertHushed(`an event of ${nameOf(who, place)}`, frame, place);
      }
  });

  // Everything that can happen in a place, each with the word in it or about the place's id.
  async function happenings(place) {
    const { id, word, owner, other: second, ts } = place;
    const socket = await Socket.connect(server, owner.token);
    const at = { channel: id };
    socket.send({ type: 'typing', id: 1, channel: id });
    assert.equal((await socket.ask({ type: 'message', id: 2, ...at, text: `${word} by RTM` })).ok, true);
    await must(server, 'chat.postMessage', second.token, { ...at, text: word, thread_ts: ts, reply_broadcast: true });
    const made = await must(server, 'chat.postMessage', owner.token, { ...at, text: word });
    await must(server, 'chat.update', owner.token, { ...at, ts: made.ts, text: `${word} again` });
    await must(server, 'reactions.add', second.token, { ...at, timestamp: ts, name: 'eyes' });
    await must(server, 'reactions.remove', second.token, { ...at, timestamp: ts, name: 'eyes' });
    await must(server, 'conversations.mark', second.token, { ...at, ts: made.ts });
    await must(server, 'chat.delete', owner.token, { ...at, ts: made.ts });
    if (place.kind === 'private' || place.kind === 'public') {
      await must(server, 'conversations.kick', owner.token, { ...at, user: second.id });
      await must(server, 'conversations.invite', owner.token, { ...at, users: second.id });
    }
    socket.terminate();
  }

  test('and all of this is there for who is in it', async () => {
    for (const { place } of cases)
      for (const [method, calls] of Object.entries(ABOUT_A_PLACE))
        for (const { args, shows: is_shown } of calls(place, place.other)) {
          const answer = await call(server, method, place.owner.token, args);
          const what = `${method} by ${nameOf(place.owner, place)}: ${JSON.stringify(answer)}`;
          assert.notEqual(answer.error, 'channel_not_found', what);
          if (is_shown) assert.ok([place.word, ...place.members].some((s) => JSON.stringify(answer).includes(s)), what);
        }
  });
});
