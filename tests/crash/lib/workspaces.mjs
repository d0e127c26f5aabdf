// The workspaces of a run: that of `taut demo`, and others beside it, each with three people and two public channels.
import { execFileSync } from 'node:child_process';

import { Api } from './api.mjs';

function operator(server, ...args) {
  const { bin, dir } = server.options;
  return JSON.parse(execFileSync(bin, [...args, '--data', dir, '--json'], { encoding: 'utf8', env: { ...process.env, TAUT_CRASH_AT: '' } }));
}

export function demo_workspace({ url, team, users, channels }) {
  const open = channels.filter((c) => ['general', 'random'].includes(c.name.replace('#', '')));
  return { url, team, users, channels: open };
}

export async function new_workspace(server, url, name) {
  const made = operator(server, 'workspace', 'create', '--name', name, '--owner', 'olga');
  const users = [{ ...made.owner, token: made.token }];
  for (const person of ['pia', 'quin']) {
    const { user } = operator(server, 'user', 'create', '--name', person, '--workspace', made.workspace.id);
    const { token } = operator(server, 'token', 'create', '--user', person, '--workspace', made.workspace.id);
    users.push({ id: user.id, name: person, token });
  }
  const api = new Api(url);
  const channels = [];
  for (const channel of ['north', 'south']) {
    const { channel: c } = await api.must('conversations.create', users[0].token, { name: channel });
    for (const u of users.slice(1)) await api.must('conversations.join', u.token, { channel: c.id });
    channels.push({ id: c.id, name: channel });
  }
  api.close();
  return { url, team: { id: made.workspace.id }, users, channels };
}
