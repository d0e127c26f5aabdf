// A WebSocket client (RFC 6455) of the few things that a test needs: text frames in both directions, pongs to pings,
// and fragments put together. No extension, no TLS. Events come as callbacks: on_text, on_close, each on a later turn.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OP = { more: 0, text: 1, close: 8, ping: 9, pong: 10 };

export class WebSocketClient {
  constructor(socket, head, on_text, on_close) {
    this.socket = socket;
    this.pending = head;
    this.parts = [];
    this.on_text = on_text;
    this.closed = false;
    const closed = () => {
      if (this.closed) return;
      this.closed = true;
      on_close();
    };
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.feed(chunk));
    socket.on('error', closed);
    socket.on('end', closed);
    socket.on('close', closed);
    setImmediate(() => this.feed(Buffer.alloc(0)));
  }

  send(text) {
    this.frame(OP.text, Buffer.from(text));
  }

  close() {
    this.socket.destroy();
  }

  pause() {
    this.socket.pause();
  }
  resume() {
    this.socket.resume();
  }

  frame(opcode, payload) {
    const mask = randomBytes(4);
    const n = payload.length;
    const head = n < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
    head[0] = 0x80 | opcode;
    if (n < 126) head[1] = 0x80 | n;
    else if (n < 65536) head[1] = 0x80 | 126, head.writeUInt16BE(n, 2);
    else throw new Error(`a frame of ${n} bytes is more than this client sends`);
    const masked = Buffer.from(payload);
    for (let i = 0; i < n; i++) masked[i] ^= mask[i & 3];
    if (!this.closed) this.socket.write(Buffer.concat([head, mask, masked]));
  }

  feed(chunk) {
    this.pending = this.pending.length ? Buffer.concat([this.pending, chunk]) : chunk;
    for (;;) {
      const frame = take_frame(this.pending);
      if (!frame) return;
      this.pending = this.pending.subarray(frame.end);
      this.on_frame(frame);
    }
  }

  on_frame({ opcode, final, payload }) {
    if (opcode === OP.ping) return this.frame(OP.pong, payload);
    if (opcode === OP.close) return this.socket.destroy();
    if (opcode !== OP.text && opcode !== OP.more) return;
    this.parts.push(payload);
    if (!final) return;
    const text = Buffer.concat(this.parts).toString('utf8');
    this.parts = [];
    this.on_text(text);
  }
}

function take_frame(b) {
  if (b.length < 2) return null;
  let n = b[1] & 0x7f;
  let at = 2;
  if (n === 126) {
    if (b.length < 4) return null;
    n = b.readUInt16BE(2), at = 4;
  } else if (n === 127) {
    if (b.length < 10) return null;
    n = Number(b.readBigUInt64BE(2)), at = 10;
  }
  if (b[1] & 0x80) throw new Error('a server does not mask');
  if (b.length < at + n) return null;
  return { opcode: b[0] & 15, final: !!(b[0] & 0x80), payload: b.subarray(at, at + n), end: at + n };
}

// Opens ws://…; resolves when the upgrade was answered with 101.
export function ws_connect(url, on_text, on_close) {
  const at = new URL(url);
  const key = randomBytes(16).toString('base64');
  return new Promise((resolve, reject) => {
    const req = http.request({
      host: at.hostname,
      port: at.port,
      path: at.pathname + at.search,
      agent: false,
      timeout: 10_000,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': key },
    });
    req.on('error', reject);
    req.on('timeout', () => req.destroy(new Error('no answer to the upgrade in 10 s')));
    req.on('response', (res) => {
      res.resume();
      reject(new Error(`the upgrade was answered with ${res.statusCode}`));
    });
    req.on('upgrade', (res, socket, head) => {
      const want = createHash('sha1').update(key + GUID).digest('base64');
      if (res.headers['sec-websocket-accept'] !== want) return reject(new Error('Sec-WebSocket-Accept is wrong'));
      socket.setTimeout(0);
      resolve(new WebSocketClient(socket, head, on_text, on_close));
    });
    req.end();
  });
}
