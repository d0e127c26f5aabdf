// The memory of a process, and peers that use it up: sockets that are not read, requests that nobody waits for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';

import WebSocket from 'ws';

import { must } from './http.mjs';
import { within } from './server.mjs';

const MIB = 1024 * 1024;

function field(pid, name) {
  const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(kib) / 1024;
}

// In MiB, without what is mapped from files.
export const anonymous = (server) => field(server.child.pid, 'RssAnon');

// Sanitizers reserve address space by the terabyte. With them memory is a multiple, and so is time.
export const isSanitized = (server) => field(server.child.pid, 'VmSize') > MIB;

// Memory that was freed is to be seen as freed: without this, AddressSanitizer keeps up to 256 MiB of it.
export const FRUGAL = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` };

// The highest value while `work` runs.
export async function peakWhile(server, work) {
  let peak = anonymous(server);
  const timer = setInterval(() => (peak = Math.max(peak, anonymous(server))), 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, anonymous(server));
}

// An RTM connection that can stop to read. It keeps nothing of what it reads, but counts messages and sees to it that
// their ts rise: as many as were posted, each once and in order, are all of them.
export class Reader {
  static async connect(server, token) {
    const { url } = await must(server, 'rtm.connect', token);
    const reader = new Reader(url);
    await within(reader.hello, 20_000, 'hello');
    return reader;
  }

  constructor(url) {
    Object.assign(this, { messages: 0, last: '', wrong: null, waiting: null });
    this.ws = new WebSocket(url, { perMessageDeflate: false });
    this.hello = new Promise((resolve, reject) => {
      this.ws.on('error', reject);
      this.ws.on('message', (data) => {
        const text = data.toString('latin1');
        if (text.startsWith('{"type":"message"')) this.take(/"ts":"([\d.]+)"/.exec(text)[1]);
        else if (text.includes('"hello"')) resolve();
      });
    });
    this.ws.on('close', (code) => (this.wrong ??= `closed with ${code}`));
  }

  take(ts) {
    if (ts <= this.last) this.wrong ??= `${ts} after ${this.last}`;
    this.last = ts;
    if (++this.messages === this.waiting?.n) this.waiting.resolve();
  }

  // Resolves when that many messages have come.
  async until(n, ms) {
    const come = new Promise((resolve) => (this.waiting = { n, resolve }));
    const late = () => {
      this.wrong ??= `not in ${ms} ms`;
    };
    if (this.messages < n) await within(come, ms, `message ${n}`).catch(late);
    assert.deepEqual({ messages: this.messages, wrong: this.wrong }, { messages: n, wrong: null });
  }

  pause() {
    this.ws.pause();
  }
  resume() {
    this.ws.resume();
  }
  terminate() {
    this.ws.removeAllListeners('close');
    this.ws.terminate();
  }
}

// A connection that sends and never reads.
export function deafPeer(server, bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port: server.port, host: '127.0.0.1' }, () => {
      socket.pause();
      socket.write(bytes);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.on('error', () => {}); // the server may let it go
  });
}

// The longest time, in ms, that a call of somebody else takes while `work` runs, from one call after another.
export async function slowestWhile(server, token, work) {
  let slowest = 0;
  let is_over = false;
  const calls = (async () => {
    do {
      const began = performance.now();
      await must(server, 'auth.test', token);
      slowest = Math.max(slowest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 5));
    } while (!is_over);
  })();
  try {
    await work();
  } finally {
    is_over = true;
  }
  await calls;
  return slowest;
}
