// What the rules look at, built in one pass over a history: by key what was sent and answered, by connection what came
// and when, by position of the log what stands there. Places of records (`at`) stand for the records themselves, which
// are fetched again when they are evidence: two million deliveries are three arrays of numbers for each connection.
import { records_of } from './history.mjs';
import { Memberships } from './topics.mjs';

export function index(source) {
  const h = new Index();
  let at = 0;
  for (const r of records_of(source)) {
    const take = h[`on_${r.e}`];
    if (!take) throw new Error(`record ${at} is of unknown kind: ${JSON.stringify(r)}`);
    take.call(h, r, at++);
  }
  h.finish();
  return h;
}

const same = (a, b) => a.type === b.type && a.op === b.op && a.channel === b.channel && a.ts === b.ts && a.key === b.key && a.hash === b.hash;
const brief = (r, at) => ({ at, type: r.type, op: r.op, channel: r.channel, ts: r.ts, key: r.key, hash: r.hash });

class Index {
  constructor() {
    this.keys = new Map(); // key -> what became of it (new_key)
    this.sends = new Map(); // id -> {k, change}
    this.conns = new Map();
    this.streams = new Map(); // name -> its connections, in order, and its declared gaps
    this.seen = new Map(); // seq -> the first observation of what stands there
    this.clashes = []; // observations of a seq that differ from the first
    this.reads = [];
    this.log = [];
    this.by_seq = new Map();
    this.by_place = new Map(); // channel/ts -> the entry of the post
    this.looks = [];
    this.churns = [];
    this.troubles = []; // {conn, from, to}; conn undefined: everybody's
    this.disk = []; // wrote, synced, left: in the order in which they happened
    this.memory = { bound: null, most: null };
    this.end = null;
    this.members = new Memberships();
    this.started = 0; // what stands in the log up to here was there before the load
  }

  // ---- senders ----

  on_send(r, at) {
    let k = this.keys.get(r.key);
    if (!k) this.keys.set(r.key, (k = new_key(r)));
    if (r.op) {
      const change = { op: r.op, hash: r.hash, at, outcome: 'unknown' };
      k.changes.push(change);
      this.sends.set(r.id, { k, change });
      return;
    }
    this.sends.set(r.id, { k });
    k.sends++;
    if (!k.begun || r.t0 < k.begun.t0) k.begun = { at, t0: r.t0 };
  }

  on_ok(r, at) {
    const { k, change } = this.sends.get(r.id);
    if (change) Object.assign(change, { outcome: 'ok', answered: at });
    else if (!k.acked) k.acked = { at, ts: r.ts, t1: r.t1 };
    else if (r.ts !== k.acked.ts) k.acked_elsewhere ??= { at, ts: r.ts };
  }

  on_fail(r, at) {
    const { k, change } = this.sends.get(r.id);
    if (change) return void Object.assign(change, { outcome: 'fail', answered: at });
    k.failed++;
    k.fail_at ??= at;
    if (k.unknown_at !== undefined && !r.again) k.denied_at ??= at;
  }

  on_unknown(r, at) {
    const { k, change } = this.sends.get(r.id);
    if (!change) k.unknown_at ??= at;
  }

  // ---- connections ----

  on_member(r) {
    this.started = Math.max(this.started, r.seq);
    this.members.start(r);
  }

  on_open(r, at) {
    const stream = this.stream(r.stream ?? r.conn);
    const conn = { name: r.conn, user: r.user, since: r.seq, at, t: r.t, live: r.e === 'open', seqs: [], times: [], ats: [], close: null };
    this.conns.set(r.conn, conn);
    stream.conns.push(conn);
  }

  on_resume(r, at) {
    this.on_open(r, at);
  }

  on_gap(r, at) {
    this.stream(r.stream ?? r.conn).gaps.push({ from: r.from, to: r.to, at });
  }

  on_recv(r, at) {
    const conn = this.conns.get(r.conn);
    conn.seqs.push(r.seq);
    conn.times.push(r.t);
    conn.ats.push(at);
    this.observe(r, at);
  }

  on_close(r, at) {
    this.conns.get(r.conn).close = { at, t: r.t };
  }

  on_fault(r) {
    this.troubles.push({ conn: r.conn, from: r.t, to: Infinity });
  }

  on_heal(r) {
    for (const x of this.troubles) if (x.conn === r.conn && x.to === Infinity) x.to = r.t;
  }

  // ---- who may see what ----

  on_churn(r) {
    this.churns.push(r);
  }

  on_look(r, at) {
    this.looks.push({ ...r, at });
  }

  // ---- what is there at the end ----

  on_read(r, at) {
    this.reads.push({ at, channel: r.channel, ts: r.ts, key: r.key, hash: r.hash });
  }

  on_log(r, at) {
    const entry = { at, seq: r.seq, topics: r.topics, deltas: r.deltas ?? [], silent: !!r.silent, ...brief(r, at), earliest: 0 };
    this.log.push(entry);
    if (!r.silent) this.observe(r, at);
  }

  on_end(r) {
    this.end = r;
  }

  // ---- the server from outside ----

  on_wrote(r, at) {
    this.disk.push({ ...r, at });
  }
  on_synced(r, at) {
    this.disk.push({ ...r, at });
  }
  on_left(r, at) {
    this.disk.push({ ...r, at });
  }
  on_bound(r, at) {
    this.memory.bound = { kib: r.kib, at };
  }
  on_rss(r, at) {
    if (!this.memory.most || r.kib > this.memory.most.kib) this.memory.most = { kib: r.kib, at };
  }

  // ---- helpers ----

  stream(name) {
    if (!this.streams.has(name)) this.streams.set(name, { name, conns: [], gaps: [] });
    return this.streams.get(name);
  }

  observe(r, at) {
    const first = this.seen.get(r.seq);
    if (!first) this.seen.set(r.seq, brief(r, at));
    else if (!same(first, r) && this.clashes.length < 100) this.clashes.push({ seq: r.seq, first, other: brief(r, at) });
  }

  finish() {
    this.log.sort((a, b) => a.seq - b.seq);
    const churned = new Map(); // "how user topic" -> the churns still to be met in the log
    for (const c of this.churns) {
      const name = `${c.how} ${c.user} ${c.topic}`;
      if (!churned.has(name)) churned.set(name, []);
      churned.get(name).push(c);
    }
    let earliest = 0; // nobody can have seen an entry before all that stands up to it was begun
    for (const entry of this.log) {
      this.by_seq.set(entry.seq, entry);
      this.members.apply(entry);
      const k = entry.key ? this.keys.get(entry.key) : null;
      if (k && !entry.op) {
        k.entry ??= entry;
        this.by_place.set(`${entry.channel}/${entry.ts}`, entry);
      }
      if (k?.begun) earliest = Math.max(earliest, k.begun.t0);
      for (const d of entry.seq > this.started ? entry.deltas : []) {
        const c = churned.get(`${d.how} ${d.who} ${d.topic}`)?.shift();
        if (!c) continue;
        c.seq = entry.seq;
        earliest = Math.max(earliest, c.t0);
      }
      entry.earliest = earliest;
    }
  }
}

function new_key(r) {
  return {
    key: r.key,
    hash: r.hash,
    channel: r.channel,
    sends: 0, // of the post itself
    failed: 0, // of them: "it has not happened and will not"
    begun: null, // {at, t0} of the earliest
    acked: null, // {at, ts, t1} of the first ok
    acked_elsewhere: null, // an ok with another ts
    unknown_at: undefined,
    fail_at: undefined,
    denied_at: undefined, // a refusal for good after an unknown
    changes: [], // edits and deletions, in the order of their sending
    entry: null, // of the log
  };
}
