// The number of members that a channel tells is the number of members that it has.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { must } from './lib/http.mjs';
import { Server } from './lib/server.mjs';

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

test('num_members counts everybody who was invited in one call, also after a restart', { timeout: 60_000 }, async () => {
  const [ada, ben, cy] = server.users;
  const { channel } = await must(server, 'conversations.create', ada.token, { name: 'counted', is_private: true });
  const at = { channel: channel.id };
  const info = { ...at, include_num_members: true };
  const told = async () => (await must(server, 'conversations.info', ada.token, info)).channel.num_members;
  const had = async () => (await must(server, 'conversations.members', ada.token, at)).members.length;
  assert.deepEqual([await told(), await had()], [1, 1]);
  await must(server, 'conversations.invite', ada.token, { ...at, users: [ben.id, cy.id, server.bot.user_id].join(',') });
  assert.deepEqual([await told(), await had()], [4, 4]);
  await must(server, 'conversations.kick', ada.token, { ...at, user: ben.id });
  assert.deepEqual([await told(), await had()], [3, 3]);
  await must(server, 'conversations.leave', cy.token, at);
  assert.deepEqual([await told(), await had()], [2, 2]);
  await server.restart();
  assert.deepEqual([await told(), await had()], [2, 2]);
});
