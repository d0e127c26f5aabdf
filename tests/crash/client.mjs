// The load on one workspace: people who write, edit and delete over HTTP, people who listen over RTM, people who read,
// and one member of a private channel who is removed and invited again all the while. All that they do and see becomes
// records of the history (README.md lists them).
//
// A sender takes a new key, posts until it has a definite answer, and sends again what it sent before: at once in a
// fifth of the cases, and its latest few after each restart of the server. What is refused for now ("nothing was
// stored") it gives up half the time: then it must not be there. The harness kills and restarts; it tells by down(), up().
import { randomUUID } from 'node:crypto';

import { Api } from './lib/api.mjs';
import { now_us } from './lib/history.mjs';
import { Receiver } from './lib/receiver.mjs';
import { connect_rtm } from './lib/rtm.mjs';
import { hash_of, sleep, words } from './lib/text.mjs';

const RETRIED = 0.2;
const RETRIED_AFTER_RESTART = 3;
const GIVEN_UP = 0.5;
const EDITED = 0.04;
const DELETED = 0.02;
const LONG = 0.04; // posts of LONG_WORDS words, which fill queues
const LONG_WORDS = 500;
const THINK_MS = 8;
const LOOK_MS = 10;
const STALL_MS = [200, 1800];
const BETWEEN_STALLS_MS = 700;
const CATCH_UP_MS = 10_000;

const SIZES = { senders: 12, receivers: 4, hoppers: 1, looks: 1, stalls: true, churn_ms: 60 };

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
  // info: {url, team, users, channels}; rough_url: the same server behind a bad network
  constructor(info, history, random, { rough_url, ...sizes } = {}) {
    Object.assign(this, { info, history, random, sizes: { ...SIZES, ...sizes }, sends: 0, restarts: 0, stopping: false, receivers: [] });
    this.api = new Api(info.url);
    this.rough = rough_url ? new Api(rough_url) : this.api;
    this.gate = new Gate();
  }

  // The server is about to be killed or stopped, or was found dead.
  down(what) {
    this.history.add('fault', { what, t: now_us() });
    this.gate.shut();
  }
  up() {
    this.history.add('heal', { t: now_us() });
    this.restarts++;
    this.gate.open();
  }

  async setup() {
    const { users } = this.info;
    [this.owner, this.member, this.churned] = users;
    const made = await this.api.must('conversations.create', this.owner.token, { name: `crash-${randomUUID().slice(0, 8)}`, is_private: true });
    this.secret = made.channel.id;
    const others = users.slice(1).map((u) => u.id).join(',');
    await this.api.must('conversations.invite', this.owner.token, { channel: this.secret, users: others });
    this.public = this.info.channels.map((c) => c.id);

    await this.note_members();
    const { receivers, hoppers } = this.sizes;
    for (let i = 0; i < receivers; i++) this.receivers.push(new Receiver(this, users[i % users.length], `r${i}`, { api: i % 2 ? this.rough : this.api }));
    for (let i = 0; i < hoppers; i++) this.receivers.push(new Receiver(this, this.churned, `h${i}`, { hops_ms: 150 }));
    await Promise.all(this.receivers.map((r) => r.start().catch(() => r.reconnect())));
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
    const writers = [this.owner, this.member];
    this.workers = Array.from({ length: this.sizes.senders }, (_, i) => this.sender(`s${i}`, writers[i % 2], i % 3 ? this.api : this.rough));
    this.workers.push(this.churn());
    for (let i = 0; i < this.sizes.looks; i++)
      this.workers.push(this.looker(this.churned, [this.secret]), this.looker(this.owner, [...this.public, this.secret]));
    if (this.sizes.stalls) this.workers.push(this.stalls());
  }

  // ---- writing ----

  async sender(proc, user, api) {
    const { random } = this;
    const recent = [];
    let restarts = this.restarts;
    while (!this.stopping) {
      const post = this.new_post(proc, user, api, random.pick([...this.public, this.secret]));
      const kind = await this.deliver(post);
      if (random.chance(RETRIED)) await this.attempt(post);
      if (kind === 'ok') await this.change(post);
      recent.unshift(post);
      recent.length = Math.min(recent.length, RETRIED_AFTER_RESTART);
      if (restarts !== this.restarts) {
        restarts = this.restarts;
        for (const earlier of recent) await this.attempt(earlier);
      }
      await sleep(random.next() * THINK_MS);
    }
  }

  new_post(proc, user, api, channel) {
    const key = randomUUID();
    const text = `${key} ${words(this.random, this.random.chance(LONG) ? LONG_WORDS : 12)}`;
    return { proc, user, api, channel, key, text, hash: hash_of(text) };
  }

  // Posts until the answer is definite. Gives it.
  async deliver(post) {
    for (;;) {
      await this.gate.passed;
      const { kind, again } = await this.attempt(post);
      if (kind === 'ok' || (kind === 'fail' && (!again || this.random.chance(GIVEN_UP)))) return kind;
      await sleep(10);
    }
  }

  async attempt(post) {
    const { channel, text, key } = post;
    const r = await this.send(post, {}, 'chat.postMessage', { channel, text, client_msg_id: key });
    if (r.kind === 'ok') post.ts = r.body.ts;
    return r;
  }

  async change(post) {
    const dice = this.random.next();
    if (dice < DELETED) return this.delete(post);
    if (dice >= DELETED + EDITED) return undefined;
    const text = `${post.key} edited ${words(this.random, 6)}`;
    const { channel, ts } = post;
    for (;;) {
      await this.gate.passed;
      const { kind, again } = await this.send(post, { op: 'edit', hash: hash_of(text) }, 'chat.update', { channel, ts, text });
      if (kind === 'ok' || (kind === 'fail' && !again)) return kind;
      await sleep(10);
    }
  }

  // That there is nothing to be deleted any more says that an earlier try did it.
  async delete(post) {
    const { channel, ts } = post;
    for (;;) {
      await this.gate.passed;
      const { kind, again } = await this.send(post, { op: 'delete', hash: undefined }, 'chat.delete', { channel, ts }, 'message_not_found');
      if (kind === 'ok' || (kind === 'fail' && !again)) return kind;
      await sleep(10);
    }
  }

  // One call, and what its caller knows of it. `done` is the error that says that it had happened before.
  async send({ proc, user, api, channel, key, hash }, what, method, args, done) {
    const id = ++this.sends;
    this.history.add('send', { id, proc, channel, key, hash, ...what, t0: now_us() });
    const r = await api.call(method, user.token, args);
    const t1 = now_us();
    if (done && r.error === done) r.kind = 'ok';
    if (r.kind === 'ok') this.history.add('ok', { id, ts: r.body.ts, t1 });
    else this.history.add(r.kind, { id, error: r.error, ...(r.again ? { again: true } : {}), t1 });
    return r;
  }

  // ---- membership and reading ----

  async churn() {
    const at = { channel: this.secret };
    const { owner, churned } = this;
    while (!this.stopping) {
      await this.certainly('-', 'conversations.kick', owner.token, { ...at, user: churned.id }, 'not_in_channel');
      await this.look(churned, this.secret);
      await sleep(this.random.next() * this.sizes.churn_ms);
      await this.certainly('+', 'conversations.invite', owner.token, { ...at, users: churned.id }, 'already_in_channel');
      await sleep(this.random.next() * this.sizes.churn_ms);
    }
  }

  // The call until it has happened: `done` is the error that says that it had happened already.
  async certainly(how, method, token, args, done) {
    const t0 = now_us();
    for (;;) {
      await this.gate.passed;
      const r = await this.api.call(method, token, args);
      if (r.kind === 'ok' || r.error === done) break;
      if (r.kind === 'fail' && !r.again) throw new Error(`${method} in the private channel: ${r.error}`);
      await sleep(10);
    }
    this.history.add('churn', { how, user: this.churned.id, topic: this.secret, t0, t1: now_us() });
  }

  // One after another, so that some of them race a removal or a post.
  async looker(user, channels) {
    while (!this.stopping) {
      await this.gate.passed;
      await this.look(user, this.random.pick(channels));
      await sleep(this.random.next() * LOOK_MS);
    }
  }

  async look(user, channel) {
    const t0 = now_us();
    const r = await this.api.call('conversations.history', user.token, { channel, limit: 1 });
    if (r.kind === 'unknown' || r.again) return;
    const allowed = r.kind === 'ok';
    this.history.add('look', { user: user.id, channel, allowed, ...(allowed ? { ts: r.body.messages[0]?.ts } : {}), t0, t1: now_us() });
  }

  async stalls() {
    const under_way = new Set();
    while (!this.stopping) {
      const stall = this.random.pick(this.receivers).stall(this.random.between(...STALL_MS));
      under_way.add(stall);
      stall.finally(() => under_way.delete(stall));
      await sleep(this.random.next() * BETWEEN_STALLS_MS);
    }
    await Promise.all(under_way);
  }

  // ---- the end ----

  // Ends the load, waits until every receiver has seen one last message, reads everything back.
  async finish() {
    this.stopping = true;
    await Promise.all(this.workers);
    const last = (this.last = this.new_post('last', this.owner, this.api, this.public[0]));
    while ((await this.deliver(last)) !== 'ok');
    const began = Date.now();
    const all_there = () => last.seq && this.receivers.every((r) => r.reached >= last.seq);
    while (!all_there() && Date.now() - began < CATCH_UP_MS) await sleep(5);
    this.history.add('end', { t: now_us(), waited_ms: Date.now() - began });
    for (const r of this.receivers) r.stop();
    for (const channel of [...this.public, this.secret]) await this.read_all(channel);
    this.api.close();
    this.rough.close();
  }

  // A receiver's: the position of the last message is learnt from whoever gets it first.
  saw(key, seq) {
    if (key && key === this.last?.key) this.last.seq = seq;
  }

  async read_all(channel) {
    const messages = await this.api.all('conversations.history', this.owner.token, { channel, limit: 999 }, 'messages');
    for (const m of messages) {
      if (m.subtype || !m.client_msg_id) continue;
      this.history.add('read', { channel, ts: m.ts, key: m.client_msg_id, hash: hash_of(m.text) });
    }
  }
}
