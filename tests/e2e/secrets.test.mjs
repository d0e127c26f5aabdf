// What a server must never write down: secrets of every kind are sent to one that logs all that it can, and are then
// looked for in everything that it says: the log, /metrics, the health pages, `taut status`, and a crash report.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import WebSocket from 'ws';

import { bearer, call, FORM_TYPE, JSON_TYPE, must, raw, request } from './lib/http.mjs';
import { newDir, Server, sleep, taut, within, writeFile } from './lib/server.mjs';
import { Socket } from './lib/socket.mjs';

const OWN_SIGNALS = { ASAN_OPTIONS: 'handle_segv=0:handle_abort=0' };
const planted = [];
const plant = (kind) => {
  planted.push(`planted${kind}4711`);
  return planted.at(-1);
};

// The texts of messages, in every field that people fill.
async function texts(server, ada, channel) {
  const { ts } = await must(server, 'chat.postMessage', ada.token, { channel, text: plant('text'), blocks: [{ type: 'section', text: { type: 'plain_text', text: plant('block') } }], metadata: { event_type: 'e', event_payload: { k: plant('metadata') } } });
  await must(server, 'chat.update', ada.token, { channel, ts, text: plant('edit') });
  await must(server, 'chat.postMessage', ada.token, { channel, thread_ts: ts, text: plant('thread') });
  await call(server, 'conversations.setTopic', ada.token, { channel, topic: plant('topic') });
  await call(server, 'conversations.setPurpose', ada.token, { channel, purpose: plant('purpose') });
  await call(server, 'chat.postMessage', ada.token, { channel, text: plant('twice'), client_msg_id: 'one' });
  await call(server, 'chat.postMessage', ada.token, { channel, text: plant('again'), client_msg_id: 'one' });
}

// Tokens that nobody has, in every place where one may stand; and requests that are refused before they are calls.
async function refused(server, ada, channel) {
  const { host } = new URL(server.url);
  await call(server, 'auth.test', `xoxp-${plant('header')}`);
  await request(server, { path: '/api/auth.test', headers: FORM_TYPE, body: `token=xoxb-${plant('form')}` });
  await request(server, { path: '/api/auth.test', headers: JSON_TYPE, body: JSON.stringify({ token: plant('json') }) });
  await request(server, { method: 'GET', path: `/api/auth.test?token=${plant('query')}` });
  await request(server, { path: '/api/auth.test', headers: { authorization: `Basic ${plant('basic')}`, cookie: `d=${plant('cookie')}` } });
  await request(server, { path: `/api/${plant('method')}`, headers: bearer(ada.token) });
  await request(server, { path: '/api/chat.postMessage', headers: { ...JSON_TYPE, ...bearer(ada.token) }, body: `{"channel":"${channel}","text":"${plant('broken')}` });
  await call(server, 'chat.postMessage', ada.token, { channel: plant('channel'), text: plant('nowhere') });
  await call(server, 'chat.postMessage', ada.token, { channel, text: plant('long').repeat(8000) });
  await call(server, 'chat.postMessage', ada.token, { channel, text: 'x', blocks: plant('notblocks') });
  await request(server, { path: '/api/chat.postMessage', headers: { 'content-type': plant('type') }, body: plant('body') });
  await request(server, { path: '/api/chat.postMessage', headers: { 'content-type': 'multipart/form-data; boundary=b', ...bearer(ada.token) }, body: `--b\r\ncontent-disposition: form-data; name="${plant('part')}"\r\n\r\n${plant('partbody')}` });
  for (const bytes of [
    `GET /api/auth.test?token=${plant('badversion')} HTTP/9.9\r\n\r\n`,
    `POST /api/auth.test HTTP/1.1\r\nHost: ${host}\r\nAuthorization Bearer ${plant('badheader')}\r\n\r\n`,
    `POST /api/auth.test HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${plant('huge')}${'x'.repeat(20000)}\r\n\r\n`,
    `POST /api/chat.postMessage HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\nzz${plant('badchunk')}\r\n`,
    `${plant('nothttp')}\r\n\r\n`,
  ])
    await raw(server, bytes, 1000);
}

async function sockets(server, ada, channel) {
  const { url } = await must(server, 'rtm.connect', ada.token);
  planted.push(url.split('/').at(-1)); // the ticket
  const socket = Socket.open(url);
  await socket.next('hello', (f) => f.type === 'hello');
  const send = (text) => socket.ws.send(text);
  send(JSON.stringify({ id: 1, type: 'message', channel, text: plant('frame') }));
  send(JSON.stringify({ id: 2, type: 'message', channel: plant('framechannel'), text: plant('lost') }));
  send(JSON.stringify({ id: 3, type: plant('frametype') }));
  send(`{"type":"message","text":"${plant('brokenframe')}`);
  socket.ws.ping(plant('ping'));
  await sleep(300);
  await new Promise((resolve) => {
    const ws = new WebSocket(`${url.slice(0, url.lastIndexOf('/'))}/${plant('ticket')}`);
    ws.on('error', resolve);
    ws.on('close', resolve);
  });
  socket.ws.close(1000, plant('reason'));
}

async function commands(server) {
  const { json } = await taut(['token', 'create', '--user', 'ben', '--data', server.data, '--json']);
  planted.push(json.token);
  await taut(['token', 'revoke', plant('token'), '--data', server.data]);
}

test('no secret is in what a server says of itself, whatever is sent to it', { timeout: 120_000 }, async () => {
  const config = writeFile(newDir(), 'taut.yaml', 'server: { log_level: debug, log_format: json }\nmodules: [store_sqlite, directory, conversation, rtm, demo]\n');
  const server = await Server.start({ args: ['-c', config, '--admin-listen', '127.0.0.1:0'], env: OWN_SIGNALS });
  const [ada] = server.users;
  const channel = server.channel('general');
  planted.push(...server.users.map((u) => u.token), server.bot.token);
  await texts(server, ada, channel);
  await refused(server, ada, channel);
  await sockets(server, ada, channel);
  await commands(server);

  const said = { };
  for (const page of ['/metrics', '/readyz', '/healthz']) said[page] = (await request({ url: server.admin_url }, { method: 'GET', path: page })).text;
  said.status = (await taut(['status', '--data', server.data, '--json'])).out;
  server.child.kill('SIGABRT');
  await within(server.exited, 30_000, 'the end');
  const report = readdirSync(server.data).find((f) => f.startsWith('crash-'));
  said.report = readFileSync(path.join(server.data, report), 'utf8');
  said.log = server.log;
  assert.match(said.log, /"event":"ready"/);
  assert.ok(planted.length > 40 && planted.every((p) => p.length > 8), `${planted.length}`);
  for (const [where, text] of Object.entries(said)) {
    assert.ok(text.length > 10, where);
    assert.deepEqual(planted.filter((p) => text.includes(p)), [], where);
    assert.doesNotMatch(text, /4711|xox[bp]-[0-9A-Za-z]/, where);
  }
});
