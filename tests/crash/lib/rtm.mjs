// RTM: rtm.connect, the socket, hello, and the log positions in cursors. A cursor is opaque to clients; only tests look
// into it: "1-" and the seq in hexadecimal.
import { ws_connect } from './ws.mjs';

export function seq_of(cursor) {
  const m = /^1-([0-9a-f]{1,16})$/.exec(cursor ?? '');
  return m ? parseInt(m[1], 16) : null;
}

// A post of a person, or its edit or deletion (op), as the history knows it; or null: another event, a notice, a reply.
export function message_of(frame) {
  if (frame.type !== 'message') return null;
  const { channel } = frame;
  if (frame.subtype === 'message_changed') return of_post(frame.message, { op: 'edit', channel, ts: frame.message.ts });
  if (frame.subtype === 'message_deleted') {
    const key = frame.previous_message?.client_msg_id;
    return key ? { op: 'delete', channel, ts: frame.deleted_ts, key } : null;
  }
  return frame.subtype ? null : of_post(frame, { channel, ts: frame.ts });
}

const of_post = (m, fields) => (m.client_msg_id ? { ...fields, key: m.client_msg_id, text: m.text } : null);

// Resolves to the socket after hello. on_hello(seq): events after seq are due; on_event({seq, frame}): every frame after
// hello; on_close: once, only when there was a hello.
export async function connect_rtm(api, token, { on_hello, on_event = () => {}, on_close = () => {} }) {
  const r = await api.call('rtm.connect', token);
  if (r.kind !== 'ok') throw new Error(`rtm.connect: ${r.kind} ${r.error}`);
  let is_open = false;
  let settle;
  const hello = new Promise((resolve, reject) => (settle = { resolve, reject }));
  hello.catch(() => {});
  const on_text = (text) => {
    const frame = JSON.parse(text);
    const seq = seq_of(frame.cursor);
    if (is_open) return on_event({ seq, frame });
    if (frame.type !== 'hello' || seq === null) return settle.reject(new Error(`not a hello with a cursor: ${text}`));
    is_open = true;
    on_hello(seq);
    settle.resolve();
  };
  const closed = () => {
    if (is_open) on_close();
    else settle.reject(new Error('closed before hello'));
  };
  const url = new URL(r.body.url);
  url.port = api.base.port; // the way that the call took
  const socket = await ws_connect(url, on_text, closed);
  await hello;
  return socket;
}
