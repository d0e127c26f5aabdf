// A bare WebSocket, for what the SDKs do not show: frames, control frames, closing codes.
import WebSocket from 'ws';

import { must } from './http.mjs';
import { within } from './server.mjs';

const WAIT_MS = 20_000;

export class Socket {
  // Opens a socket with a fresh ticket and waits for hello.
  static async connect(server, token) {
    const { url } = await must(server, 'rtm.connect', token);
    const socket = Socket.open(url);
    await socket.next('hello', (f) => f.type === 'hello');
    return socket;
  }

  static open(url, headers = {}) {
    return new Socket(url, headers);
  }

  constructor(url, headers = {}) {
    this.frames = []; // parsed, in order
    this.pings = []; // { at_ms, data }
    this.pongs = [];
    this.waiting = new Set();
    this.ws = new WebSocket(url, { perMessageDeflate: false, headers });
    this.opened = new Promise((resolve, reject) => {
      this.ws.on('open', resolve);
      this.ws.on('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.ws.on('message', (data, binary) => {
      this.frames.push(binary ? data : JSON.parse(data.toString('utf8')));
      this.look();
    });
    this.ws.on('ping', (data) => {
      this.pings.push({ at_ms: Date.now(), data });
      this.look();
    });
    this.ws.on('pong', (data) => {
      this.pongs.push(data);
      this.look();
    });
  }

  look() {
    for (const check of [...this.waiting]) check();
  }

  // Resolves with what `find` gives as soon as that is something.
  until(what, find, ms = WAIT_MS) {
    const found = new Promise((resolve) => {
      const check = () => {
        const value = find();
        if (value === undefined || value === false) return;
        this.waiting.delete(check);
        resolve(value);
      };
      this.waiting.add(check);
      check();
    });
    return within(found, ms, what);
  }

  // The first frame, of all so far and to come, that pred likes.
  next(what, pred, ms) {
    return this.until(what, () => this.frames.find(pred), ms);
  }

  // Sends a frame and gives the one that replies to it.
  async ask(frame) {
    this.send(frame);
    return this.next(`a reply to ${JSON.stringify(frame).slice(0, 200)}`, (f) => f.reply_to === frame.id);
  }

  send(frame) {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  terminate() {
    this.ws.terminate();
  }
}

// The events of a list that are messages (any subtype) of a channel.
export const messagesIn = (frames, channel) => frames.filter((f) => f.type === 'message' && f.channel === channel);
