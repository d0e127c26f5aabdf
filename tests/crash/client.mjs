// The load: senders over HTTP, receivers over RTM, and one member of a private channel who is removed and invited again
// all the while. Everything they do and see becomes a record of the history (checker.mjs says which).
//
// A sender takes a new key, posts until it has a definite answer, and sends again what it sent before: at once in a
// fifth of the cases, and its latest few after each restart of the server. The harness kills and restarts; it tells
// the load by down() and up().
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';

import { Api } from './lib/api.mjs';
import { connect_rtm, message_of } from './lib/rtm.mjs';

const RETRIED = 0.2;
const RETRIED_AFTER_RESTART = 3;
const THINK_MS = 8;
const CHURN_MS = 60;
const CATCH_UP_MS = 10_000;
const WORDS = 'tea coffee queue river lamp stone cloud forty green window paper'.split(' ');

const now_us = () => Number(process.hrtime.bigint() / 1000n);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const pick = (list) => list[Math.floor(Math.random() * list.length)];
export const hash_of = (text) => createHash('sha1').update(text).digest('hex').slice(0, 12);

export class History {
  constructor(file) {
    this.records = [];
    this.file = createWriteStream(file);
    this.path = file;
  }
  add(e, fields) {
    const r = { e, ...fields };
    this.records.push(r);
    this.file.write(`${JSON.stringify(r)}\n`);
  }
  close() {
    return new Promise((resolve) => this.file.end(resolve));
  }
}

// Shut while the server is down.
class Gate {
  constructor() {
    this.open();
  }
  open() {
    this.pass?.();
    this.passed = Promise.resolve();
  }
  shut() {
    this.passed = new Promise((resolve) => (this.pass = resolve));
  }
}

export class Load {
  // info: the JSON line of `taut demo`.
  constructor(info, history, { senders = 12, receivers = 4 } = {}) {
    this.info = info;
    this.history = history;
    this.sizes = { senders, receivers };
    this.api = new Api(info.url);
    this.gate = new Gate();
    this.sends = 0;
    this.restarts = 0;
    this.stopping = false;
    this.receivers = [];
  }

  // The server is about to be killed, or was found dead.
  down() {
    this.gate.shut();
  }
  up() {
    this.restarts++;
    this.gate.open();
  }

  async setup() {
    const { users } = this.info;
    [this.owner, this.member, this.churned] = users;
    const made = await this.api.must('conversations.create', this.owner.token, { name: `crash-${Date.now()}`, is_private: true });
    this.secret = made.channel.id;
    const others = users.slice(1).map((u) => u.id).join(',');
    await this.api.must('conversations.invite', this.owner.token, { channel: this.secret, users: others });
    this.public = this.info.channels.filter((c) => ['general', 'random'].includes(c.name.replace('#', ''))).map((c) => c.id);

    await this.note_members();
    for (let i = 0; i < this.sizes.receivers; i++) this.receivers.push(new Receiver(this, users[i % users.length], `r${i}`));
    await Promise.all(this.receivers.map((r) => r.start()));
  }

  // Who is on which topic before the load: a user's own, the workspace's, those of their channels.
  async note_members() {
    let as_of;
    const probe = await connect_rtm(this.api, this.owner.token, { on_hello: (seq) => (as_of = seq) });
    probe.close();
    for (const u of this.info.users) {
      const args = { types: 'public_channel,private_channel,im,mpim', limit: 200 };
      const list = await this.api.all('users.conversations', u.token, args, 'channels');
      for (const topic of [u.id, this.info.team.id, ...list.map((c) => c.id)])
        this.history.add('member', { user: u.id, topic, seq: as_of });
    }
  }

  start() {
    this.workers = [];
    const writers = [this.owner, this.member];
    for (let i = 0; i < this.sizes.senders; i++) this.workers.push(this.sender(`s${i}`, writers[i % writers.length]));
    this.workers.push(this.churn());
  }

  async sender(proc, user) {
    const recent = [];
    let restarts = this.restarts;
    while (!this.stopping) {
      const post = this.new_post(proc, user, pick([...this.public, this.secret]));
      await this.deliver(post);
      if (Math.random() < RETRIED) await this.attempt(post);
      recent.unshift(post);
      recent.length = Math.min(recent.length, RETRIED_AFTER_RESTART);
      if (restarts !== this.restarts) {
        restarts = this.restarts;
        for (const earlier of recent) await this.attempt(earlier);
      }
      await sleep(Math.random() * THINK_MS);
    }
  }

  new_post(proc, user, channel) {
    const key = randomUUID();
    const text = `${key} ${Array.from({ length: 12 }, () => pick(WORDS)).join(' ')}`;
    return { proc, user, channel, key, text, hash: hash_of(text) };
  }

  // Posts until the answer is definite. Gives it.
  async deliver(post) {
    for (;;) {
      await this.gate.passed;
      const kind = await this.attempt(post);
      if (kind !== 'unknown') return kind;
      await sleep(10);
    }
  }

  async attempt({ proc, user, channel, key, text, hash }) {
    const id = ++this.sends;
    this.history.add('send', { id, proc, channel, key, hash, t0: now_us() });
    const r = await this.api.call('chat.postMessage', user.token, { channel, text, client_msg_id: key });
    const t1 = now_us();
    if (r.kind === 'ok') this.history.add('ok', { id, ts: r.body.ts, t1 });
    else this.history.add(r.kind, { id, error: r.error, t1 });
    return r.kind;
  }

  // The call until it has happened: `done` is the error that says that it had happened already.
  async certainly(method, token, args, done) {
    for (;;) {
      await this.gate.passed;
      const r = await this.api.call(method, token, args);
      if (r.kind === 'ok' || r.error === done) return;
      if (r.kind === 'fail') throw new Error(`${method} in the private channel: ${r.error}`);
      await sleep(10);
    }
  }

  async churn() {
    const at = { channel: this.secret };
    while (!this.stopping) {
      await this.certainly('conversations.kick', this.owner.token, { ...at, user: this.churned.id }, 'not_in_channel');
      const t0 = now_us();
      const r = await this.api.call('conversations.history', this.churned.token, { ...at, limit: 1 });
      if (r.kind !== 'unknown')
        this.history.add('peek', { user: this.churned.id, channel: this.secret, allowed: r.kind === 'ok', t0, t1: now_us() });
      await sleep(Math.random() * CHURN_MS);
      await this.certainly('conversations.invite', this.owner.token, { ...at, users: this.churned.id }, 'already_in_channel');
      await sleep(Math.random() * CHURN_MS);
    }
  }

  // Ends the load, waits until every receiver has seen one last message, reads everything back.
  async finish() {
    this.stopping = true;
    await Promise.all(this.workers);
    const last = this.new_post('last', this.owner, this.public[0]);
    await this.deliver(last);
    const began = Date.now();
    const all_there = () => this.receivers.every((r) => r.saw === last.key);
    while (!all_there() && Date.now() - began < CATCH_UP_MS) await sleep(5);
    this.history.add('end', { t: now_us(), waited_ms: Date.now() - began });
    for (const channel of [...this.public, this.secret]) await this.read_all(channel);
    for (const r of this.receivers) r.stop();
    this.api.close();
  }

  async read_all(channel) {
    const messages = await this.api.all('conversations.history', this.owner.token, { channel, limit: 999 }, 'messages');
    for (const m of messages) {
      if (m.subtype || !m.client_msg_id) continue;
      this.history.add('read', { channel, ts: m.ts, key: m.client_msg_id, hash: hash_of(m.text) });
    }
  }
}

// Keeps one connection of a user open, over restarts of the server.
class Receiver {
  constructor(load, user, name) {
    Object.assign(this, { load, user, name, opened: 0, saw: null, stopped: false });
  }

  async start() {
    const { history, api } = this.load;
    const conn = `${this.name}.${++this.opened}`;
    this.socket = await connect_rtm(api, this.user.token, {
      on_hello: (seq) => history.add('open', { conn, user: this.user.id, seq, t: now_us() }),
      on_event: (event) => this.record(conn, event),
      on_close: () => {
        if (this.stopped) return;
        history.add('close', { conn, t: now_us() });
        this.reconnect();
      },
    });
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
    if (m.key) m.hash = hash_of(text);
    this.load.history.add('recv', { conn, seq, type: frame.type, ...m, t: now_us() });
    if (m.key) this.saw = m.key;
  }

  stop() {
    this.stopped = true;
    this.socket?.close();
  }
}
