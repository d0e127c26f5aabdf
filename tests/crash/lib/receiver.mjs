// Keeps one connection of a user open, over restarts of the server and cuts of the network, and writes down what comes.
// Its connections are one stream: where one begins further along than the last had come, the gap is declared.
import { now_us } from './history.mjs';
import { connect_rtm, message_of } from './rtm.mjs';
import { hash_of, sleep } from './text.mjs';

export class Receiver {
  // hops_ms: leaves by itself after about so long, again and again
  constructor(load, user, name, { api = load.api, hops_ms = 0 } = {}) {
    Object.assign(this, { load, user, name, api, hops_ms, opened: 0, reached: 0, stopped: false, stalled: false });
  }

  async start() {
    const { history } = this.load;
    const conn = `${this.name}.${++this.opened}`;
    this.conn = null;
    let left = false;
    const on_close = () => {
      if (this.stopped || left) return;
      left = true;
      clearTimeout(this.hop);
      history.add('close', { conn, t: now_us() });
      this.conn = null;
      this.reconnect();
    };
    const socket = await connect_rtm(this.api, this.user.token, {
      on_hello: (seq) => {
        const t = now_us();
        history.add('open', { conn, stream: this.name, user: this.user.id, seq, t });
        if (this.reached && seq > this.reached) history.add('gap', { stream: this.name, from: this.reached, to: seq, t });
        this.reached = Math.max(this.reached, seq);
        this.conn = conn;
      },
      on_event: (event) => !left && this.record(conn, event),
      on_close,
    });
    if (this.stopped) return socket.close();
    this.socket = socket;
    const leave = () => {
      if (this.stalled) return (this.hop = setTimeout(leave, 50));
      socket.close();
      on_close();
    };
    if (this.hops_ms) this.hop = setTimeout(leave, this.load.random.between(0.5, 1.5) * this.hops_ms);
  }

  async reconnect() {
    while (!this.stopped) {
      await this.load.gate.passed;
      try {
        return await this.start();
      } catch {
        await sleep(20);
      }
    }
  }

  record(conn, { seq, frame }) {
    if (!seq || this.stopped) return;
    const { text, ...m } = message_of(frame) ?? {};
    if (text !== undefined) m.hash = hash_of(text);
    this.load.history.add('recv', { conn, seq, type: frame.type, ...m, t: now_us() });
    this.reached = Math.max(this.reached, seq);
    this.load.saw(m.key, seq);
  }

  // Reads nothing for so long.
  async stall(ms) {
    const { socket, conn } = this;
    if (!conn || this.stopped || this.stalled) return;
    this.stalled = true;
    this.load.history.add('fault', { what: 'stall', conn, t: now_us() });
    socket.pause();
    await sleep(ms);
    socket.resume();
    this.load.history.add('heal', { conn, t: now_us() });
    this.stalled = false;
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.hop);
    this.socket?.close();
  }
}
