// Asks a server's modules what was asked when their ABI was released, and gives the answers without what differs from
// one server to the next: ids, times, addresses.
import { call, request } from '../e2e/lib/http.mjs';
import { Socket } from '../e2e/lib/socket.mjs';
import { taut } from '../e2e/lib/server.mjs';

const plain = (text) =>
  text
    .replace(/\bxox[bp]-[\w-]+/g, 'TOKEN')
    .replace(/\b([A-Z])[0-9A-HJKMNP-TV-Z]{10}\b/g, '$1...')
    .replace(/\b\d{10}\.\d{6}\b/g, 'TS')
    .replace(/\b1[5-9]\d{14}\b/g, '0')
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'URL');

// What may stand in place of a word of a question.
function words(server) {
  const ada = server.user('ada');
  return { $user: ada.id, $token: ada.token, $bot: server.bot.bot_id ?? server.bot.id, $channel: server.channel('general') };
}
const filled = (value, from) => JSON.parse(JSON.stringify(value).replace(/\$[a-z]+/g, (w) => from[w] ?? w));

async function ask(server, { method, args, get, put, body, command, socket }) {
  const token = server.user('ada').token;
  if (method) return call(server, method, token, args);
  if (command) return (await taut([...command, '--data', server.data, ...server.args, '--json'], { env: server.env })).json;
  if (socket) {
    const s = Socket.open(`${server.url.replace(/^http/, 'ws').replace(/\/$/, '')}${socket}`);
    s.opened.then(() => s.send(body)).catch(() => {});
    const { code } = await s.closed;
    return { code, frames: s.frames.map(({ cursor, ...frame }) => frame) };
  }
  const answer = await request(server, { method: get ? 'GET' : 'PUT', path: get ?? put, body: body ?? '' });
  return { status: answer.status, text: answer.text };
}

// questions: [{ method, args } | { command } | { get } | { put, body } | { socket, body }]
export async function replay(server, questions) {
  const from = words(server);
  const answers = [];
  for (const { answer, ...question } of questions)
    answers.push({ ...question, answer: JSON.parse(plain(JSON.stringify(await ask(server, filled(question, from)) ?? null))) });
  return answers;
}
