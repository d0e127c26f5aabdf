// Conversations with a secret in them, in two workspaces of one server, and those who are to learn nothing of it.
//
// Each place has a word of its own, which is in its name and in every text that is written there.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { must } from './http.mjs';
import { taut } from './server.mjs';

let words = 0;
const newWord = () => `hush${++words}`;

async function operator(server, ...args) {
  const r = await taut([...args, '--data', server.data, '--json']);
  assert.equal(r.code, 0, `taut ${args.join(' ')}: ${r.err}`);
  return r.json;
}

// { id, token }: a new user of a workspace, and one token.
export async function newcomer(server, name, workspace) {
  const { user } = await operator(server, 'user', 'create', '--name', name, '--workspace', workspace);
  const { token } = await operator(server, 'token', 'create', '--user', name, '--workspace', workspace);
  return { id: user.id, name, token };
}

export async function newBot(server, name, workspace) {
  const { user } = await operator(server, 'user', 'create', '--name', name, '--bot', '--workspace', workspace);
  const { token } = await operator(server, 'token', 'create', '--bot', name, '--workspace', workspace);
  return { id: user.id, name, token };
}

// { id, owner }
export async function newWorkspace(server, name, owner) {
  const r = await operator(server, 'workspace', 'create', '--name', name, '--owner', owner);
  return { id: r.workspace.id, owner: { id: r.owner.id, name: owner, token: r.token } };
}

// Every method that the program's modules offer: { name, args }.
export async function methodsOffered() {
  const list = await taut(['module', 'list', '--json']);
  const modules = await Promise.all(list.json.modules.map(({ name }) => taut(['module', 'info', name, '--json'])));
  return modules.flatMap((m) => m.json.methods).map((m) => ({ name: m.name, args: m.arguments.replaceAll('*', '').split(', ') }));
}

// A place: its id, who is in it, and a message with a thread and a reaction.
async function furnish(server, kind, id, members, word) {
  const [owner, other] = members;
  const post = (text, more = {}) =>
    must(server, 'chat.postMessage', owner.token, { channel: id, text: `${word} ${text}`, ...more });
  const key = randomUUID();
  const { ts } = await post('parent', { client_msg_id: key });
  const reply = (await post('reply', { thread_ts: ts })).ts;
  const last = (await post('last')).ts;
  await must(server, 'reactions.add', owner.token, { channel: id, timestamp: ts, name: 'tada' });
  return { kind, id, word, owner, other, members: members.map((u) => u.id), key, ts, reply, last };
}

// guests come with the members, and are to be removed by the caller.
export async function channel(server, kind, members, guests = []) {
  const [owner, ...others] = members;
  const word = newWord();
  const made = { name: word, is_private: kind === 'private' };
  const { id } = (await must(server, 'conversations.create', owner.token, made)).channel;
  const users = [...others, ...guests].map((u) => u.id).join(',');
  await must(server, 'conversations.invite', owner.token, { channel: id, users });
  return furnish(server, kind, id, members, word);
}

export async function direct(server, members) {
  const users = members.slice(1).map((u) => u.id).join(',');
  const { channel } = await must(server, 'conversations.open', members[0].token, { users });
  return furnish(server, members.length > 2 ? 'mpim' : 'im', channel.id, members, newWord());
}
