// The history checker: from what clients wrote down, what the log holds and what a full read gives at the end, it says
// which promise was broken, with the records that prove it. It knows nothing of the server's insides.
//
// Records (one JSON object a line; times in microseconds of one monotonic clock):
//   send {id,proc,channel,key,hash,t0}           a post leaves; the same key again is a retry
//   ok {id,ts,t1} | fail {id,error,t1} | unknown {id,t1}
//   member {user,topic,seq}                      is on that topic as of seq, before the load starts
//   open {conn,user,seq,t}                       a connection said hello: it is due what comes after seq
//   recv {conn,seq,type,channel,ts,key,hash,t}   an event on a connection; key only on posts of this test
//   close {conn,t}
//   peek {user,channel,allowed,t0,t1}            a read by somebody who was out of the channel all that time
//   read {channel,ts,key,hash}                   the full read at the end
//   log {seq,topics,deltas,channel,ts,key}       the store's log at the end
//   end {t,waited_ms}                            the load has ended; connections had this long to catch up
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Memberships } from './lib/memberships.mjs';

export const RULES = {
  LOST: 'every acknowledged or seen message is there at the end, unchanged',
  DUP: 'no key stands at two places',
  GHOST: 'every message was sent by somebody, and not one whose send failed is there',
  DIVERGE: 'all observers agree on what stands where',
  ORDER: 'no connection saw seq or the ts of a channel go back',
  REPEAT: 'no connection saw an event twice',
  REALTIME: 'what was sent after an ok stands after it',
  LEAK: 'nobody saw an event of a channel that they were not in',
  HOLE: 'seq has no holes',
  'SILENT-GAP': 'every connection got all that was due to it',
  LIVENESS: 'every connection had caught up when the load ended',
};

export function check(records) {
  const h = index(records);
  const found = [];
  const report = (rule, text, ...evidence) => found.push({ rule, text, evidence: evidence.filter(Boolean) });
  check_answers(h, report);
  check_reads(h, report);
  check_agreement(h, report);
  check_realtime(h, report);
  check_log(h, report);
  for (const conn of h.conns.values()) check_connection(h, conn, report);
  for (const p of h.peeks)
    if (p.allowed) report('LEAK', `${p.user} could read ${p.channel} after being removed from it`, p);
  return found;
}

const place = (r) => `${r.channel}/${r.ts}`;

function index(records) {
  const h = { keys: new Map(), sends: new Map(), conns: new Map(), reads: [], log: [], peeks: [], end: null };
  h.members = new Memberships();
  const by_type = {
    send: (r) => {
      h.sends.set(r.id, r);
      if (!h.keys.has(r.key)) h.keys.set(r.key, { key: r.key, hash: r.hash, channel: r.channel, sends: [], oks: [], failed: 0 });
      h.keys.get(r.key).sends.push(r);
    },
    ok: (r) => {
      const { key, channel } = h.sends.get(r.id);
      h.keys.get(key).oks.push({ ...r, channel });
    },
    fail: (r) => h.keys.get(h.sends.get(r.id).key).failed++,
    unknown: () => {},
    member: (r) => h.members.start(r),
    open: (r) => h.conns.set(r.conn, { name: r.conn, user: r.user, open: r, recvs: [], close: null }),
    recv: (r) => h.conns.get(r.conn).recvs.push(r),
    close: (r) => (h.conns.get(r.conn).close = r),
    peek: (r) => h.peeks.push(r),
    read: (r) => h.reads.push(r),
    log: (r) => h.log.push(r),
    end: (r) => (h.end = r),
  };
  for (const r of records) {
    if (!by_type[r.e]) throw new Error(`a record of unknown kind: ${JSON.stringify(r)}`);
    by_type[r.e](r);
  }
  h.log.sort((a, b) => a.seq - b.seq);
  let earliest = 0; // nobody can have seen an entry before the posts that stand up to it were sent
  for (const entry of h.log) {
    h.members.apply(entry);
    for (const { t0 } of h.keys.get(entry.key)?.sends.slice(0, 1) ?? []) earliest = Math.max(earliest, t0);
    entry.earliest = earliest;
  }
  h.by_seq = new Map(h.log.map((r) => [r.seq, r]));
  return h;
}

// LOST and DUP as the senders see them: what was acknowledged at a place is at that place.
function check_answers(h, report) {
  const at = new Map(h.reads.map((r) => [place(r), r]));
  for (const k of h.keys.values()) {
    const [first] = k.oks;
    const other = k.oks.find((r) => r.ts !== first.ts);
    if (other) report('DUP', `key ${k.key} was acknowledged at ${first.ts} and at ${other.ts}`, first, other);
    for (const ok of other ? [first, other] : k.oks.slice(0, 1)) {
      const read = at.get(place(ok));
      if (!read) report('LOST', `key ${k.key} was acknowledged with ts ${ok.ts} and is not there`, k.sends[0], ok);
      else if (read.key !== k.key || read.hash !== k.hash) report('LOST', `key ${k.key} was changed`, k.sends[0], ok, read);
    }
  }
}

// DUP, GHOST and what was seen but is lost.
function check_reads(h, report) {
  const by_key = new Map();
  const places = new Set();
  for (const r of h.reads) {
    places.add(place(r));
    const known = ghost(h, r, report);
    if (!known) continue;
    const earlier = by_key.get(r.key);
    if (earlier) report('DUP', `key ${r.key} stands at ${earlier.ts} and at ${r.ts}`, earlier, r);
    else by_key.set(r.key, r);
  }
  const told = new Set();
  for (const conn of h.conns.values())
    for (const r of conn.recvs) {
      if (!r.key || told.has(place(r))) continue;
      told.add(place(r));
      ghost(h, r, report);
      if (!places.has(place(r))) report('LOST', `${r.key} was seen by ${r.conn} at ${r.ts} and is not there`, r);
    }
}

function ghost(h, r, report) {
  const k = h.keys.get(r.key);
  if (!k) report('GHOST', `nobody sent the message with key ${r.key}`, r);
  else if (k.failed === k.sends.length) report('GHOST', `key ${r.key} is there though its send was refused`, r, k.sends[0]);
  return k;
}

// DIVERGE: one place, one message; one seq, one place.
function check_agreement(h, report) {
  const message_at = new Map();
  const place_of = new Map();
  const same = (map, name, what, r) => {
    const first = map.get(name);
    if (!first) map.set(name, { what, r });
    else if (first.what !== what) report('DIVERGE', `${name} is ${first.what} to one and ${what} to another`, first.r, r);
  };
  const seen = [...h.reads, ...h.log.filter((r) => r.key)];
  for (const conn of h.conns.values()) seen.push(...conn.recvs.filter((r) => r.key));
  for (const r of seen) {
    same(message_at, place(r), r.key, r);
    if (r.seq) same(place_of, `seq ${r.seq}`, place(r), r);
  }
  for (const k of h.keys.values()) for (const r of k.oks) same(message_at, place(r), k.key, r);
}

// REALTIME: in each channel, by the time at which a send began, against the highest ts acknowledged before.
function check_realtime(h, report) {
  const channels = new Map();
  for (const k of h.keys.values()) {
    if (!k.oks.length) continue;
    if (!channels.has(k.channel)) channels.set(k.channel, []);
    const begun = k.sends.reduce((a, b) => (b.t0 < a.t0 ? b : a));
    const acked = k.oks.reduce((a, b) => (b.t1 < a.t1 ? b : a));
    channels.get(k.channel).push({ key: k.key, ts: acked.ts, begun, acked });
  }
  for (const list of channels.values()) {
    const acks = [...list].sort((a, b) => a.acked.t1 - b.acked.t1);
    let highest = null;
    let next = 0;
    for (const m of list.sort((a, b) => a.begun.t0 - b.begun.t0)) {
      for (; next < acks.length && acks[next].acked.t1 < m.begun.t0; next++)
        if (!highest || acks[next].ts > highest.ts) highest = acks[next];
      if (highest && highest.ts >= m.ts)
        report('REALTIME', `${m.key} was sent after the ok of ${highest.key} but stands before it`, highest.acked, m.begun, m.acked);
    }
  }
}

function check_log(h, report) {
  let last = 0;
  for (const r of h.log) {
    if (r.seq !== last + 1) report('HOLE', `after seq ${last} the log goes on with ${r.seq}`, h.by_seq.get(last), r);
    last = r.seq;
  }
}

function check_connection(h, conn, report) {
  let last = conn.open;
  const got = new Set();
  const newest = new Map();
  for (const r of conn.recvs) {
    if (!r.seq) continue;
    if (got.has(r.seq)) report('REPEAT', `${conn.name} saw seq ${r.seq} twice`, r);
    else if (r.seq <= conn.open.seq) report('REPEAT', `${conn.name} began after seq ${conn.open.seq} and saw ${r.seq}`, conn.open, r);
    else if (r.seq < last.seq) report('ORDER', `${conn.name} saw seq ${r.seq} after ${last.seq}`, last, r);
    got.add(r.seq);
    last = r;
    if (r.key) check_channel_order(conn, newest, r, report);
    check_visible(h, conn, r, report);
  }
  check_due(h, conn, got, report);
}

function check_channel_order(conn, newest, r, report) {
  const before = newest.get(r.channel);
  if (before && r.ts < before.ts) report('ORDER', `${conn.name} saw ts ${r.ts} of ${r.channel} after ${before.ts}`, before, r);
  if (before && r.ts === before.ts) report('REPEAT', `${conn.name} saw ts ${r.ts} of ${r.channel} twice`, before, r);
  newest.set(r.channel, r);
}

function check_visible(h, conn, r, report) {
  const entry = h.by_seq.get(r.seq);
  if (!entry) report('LOST', `${conn.name} saw seq ${r.seq}, which the log does not hold`, r);
  else if (!entry.topics.some((t) => h.members.has(conn.user, t, r.seq)))
    report('LEAK', `${conn.user} saw seq ${r.seq} of ${entry.topics.join(', ')} without being on it`, r, entry);
}

// What was due up to the last event that it saw is a SILENT-GAP when missing; past it, when it was connected to the
// end, it is LIVENESS. A connection that is behind gets only what its user may see by then: what was missed of a channel
// that the user left is excused if the leave may have come before the next event that the connection saw.
function check_due(h, conn, got, report) {
  const recvs = conn.recvs.filter((r) => r.seq);
  const seen_to = recvs.reduce((n, r) => Math.max(n, r.seq), conn.open.seq);
  const due_to = h.end && (!conn.close || conn.close.t > h.end.t) ? Infinity : seen_to;
  for (let i = h.members.first_after(h.log, conn.open.seq); i < h.log.length && h.log[i].seq <= due_to; i++) {
    const entry = h.log[i];
    if (got.has(entry.seq) || entry.silent) continue;
    const left = entry.topics.map((t) => h.members.left_at(conn.user, t, entry.seq)).filter((at) => at !== null);
    if (!left.length) continue;
    const next = recvs.find((r) => r.seq > entry.seq);
    if (left.every((at) => at !== Infinity && h.by_seq.get(at).earliest <= (next?.t ?? Infinity))) continue;
    if (next) report('SILENT-GAP', `${conn.name} never saw seq ${entry.seq}, only later ones`, conn.open, entry, next);
    else report('LIVENESS', `${conn.name} had not seen seq ${entry.seq} ${h.end.waited_ms} ms after the load`, entry);
  }
}

export function read_history(file) {
  const text = readFileSync(file, 'utf8');
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// What was found, by rule, each with its first counter-examples.
export function describe(found, examples = 3) {
  const lines = [];
  for (const rule of Object.keys(RULES)) {
    const of_rule = found.filter((f) => f.rule === rule);
    if (!of_rule.length) continue;
    lines.push(`${rule}: ${of_rule.length}`);
    for (const f of of_rule.slice(0, examples)) {
      lines.push(`  ${f.text}`);
      for (const r of f.evidence) lines.push(`    ${JSON.stringify(r)}`);
    }
  }
  return lines.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = check(read_history(process.argv[2]));
  console.log(found.length ? describe(found) : 'nothing found');
  process.exit(found.length ? 1 : 0);
}
