// Rules about what came on a connection, and on the connections that one client had after another (a stream): ORDER,
// REPEAT, LEAK, SILENT-GAP, LIVENESS.
import { span_at } from './topics.mjs';

const LATE_US = 10_000_000; // after the ok, or after the end of what stood in the way

export function check_connections(h, report) {
  for (const stream of h.streams.values()) {
    let reached = null; // how far the stream's earlier connections had come
    for (const conn of stream.conns) {
      check_order(h, conn, report);
      check_start(h, stream, conn, reached, report);
      check_due(h, conn, report);
      const last = conn.seqs.reduce((n, seq) => Math.max(n, seq), conn.since);
      if (!reached || last > reached.seq) reached = { seq: last, conn };
    }
  }
}

function check_order(h, conn, report) {
  const topics = h.members.of(conn.user);
  const newest = new Map(); // channel -> the newest post of it so far
  const got = new Set();
  let last = { seq: conn.since, at: conn.at };
  for (let i = 0; i < conn.seqs.length; i++) {
    const seq = conn.seqs[i];
    const at = conn.ats[i];
    if (got.has(seq)) report('REPEAT', `${conn.name} saw seq ${seq} twice`, conn.ats[conn.seqs.indexOf(seq)], at);
    else if (seq <= conn.since) report('REPEAT', `${conn.name} began after seq ${conn.since} and saw ${seq}`, conn.at, at);
    else if (seq < last.seq) report('ORDER', `${conn.name} saw seq ${seq} after ${last.seq}`, last.at, at);
    got.add(seq);
    last = { seq, at };
    check_ts(h, conn, newest, seq, at, report);
    check_visible(h, conn, topics, seq, at, report);
  }
}

function check_ts(h, conn, newest, seq, at, report) {
  const r = h.seen.get(seq);
  if (!r.key || r.op) return;
  const before = newest.get(r.channel);
  newest.set(r.channel, { ts: r.ts, at, seq });
  if (!before || before.seq >= seq) return; // the seq says it already
  if (r.ts < before.ts) report('ORDER', `${conn.name} saw ts ${r.ts} of ${r.channel} after ${before.ts}`, before.at, at);
  if (r.ts === before.ts) report('REPEAT', `${conn.name} saw ts ${r.ts} of ${r.channel} twice`, before.at, at);
}

function check_visible(h, conn, topics, seq, at, report) {
  const entry = h.by_seq.get(seq);
  if (!entry) return void report('LOST', `${conn.name} saw seq ${seq}, which the log does not hold`, at);
  for (const t of entry.topics) if (span_at(topics.get(t), seq)) return;
  report('LEAK', `${conn.user} saw seq ${seq} of ${entry.topics.join(', ')} without being on it`, at, entry.at, left_before(h, conn, entry)?.at);
}

// The event with which the user had left the topic of that entry.
function left_before(h, conn, entry) {
  for (const t of entry.topics) {
    const spans = (h.members.of(conn.user).get(t) ?? []).filter((s) => s.to <= entry.seq);
    if (spans.length) return h.by_seq.get(spans[spans.length - 1].to);
  }
  return undefined;
}

// Where a connection begins: not before what its stream has seen, not past it without saying so, not in the future.
function check_start(h, stream, conn, reached, report) {
  const entry = h.by_seq.get(conn.since);
  if (entry && entry.earliest > conn.t)
    report('SILENT-GAP', `${conn.name} began after seq ${conn.since} before anybody had sent it`, conn.at, entry.at);
  if (!reached) return;
  if (conn.since < reached.seq) {
    const again = conn.seqs.findIndex((seq) => seq <= reached.seq && reached.conn.seqs.includes(seq));
    if (again >= 0) report('REPEAT', `${conn.name} saw seq ${conn.seqs[again]} again, which ${reached.conn.name} had seen`, conn.at, conn.ats[again]);
  }
  const topics = h.members.of(conn.user);
  for (const e of after(h.log, reached.seq)) {
    if (e.seq > conn.since) return;
    if (e.silent || !is_due(topics, e) || stream.gaps.some((g) => g.from < e.seq && e.seq <= g.to)) continue;
    if (left_meanwhile(h, topics, e, conn.t)) continue;
    report('SILENT-GAP', `${conn.name} goes on after seq ${conn.since}, ${reached.conn.name} had come to ${reached.seq}, and no gap was declared`,
      reached.conn.at, conn.at, e.at);
    return;
  }
}

function* after(log, seq) {
  let lo = 0;
  let hi = log.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (log[mid].seq > seq) hi = mid;
    else lo = mid + 1;
  }
  for (let i = lo; i < log.length; i++) yield log[i];
}

const is_due = (topics, entry) => entry.topics.some((t) => span_at(topics.get(t), entry.seq));

// Every membership by which the entry was due may have ended before `t`: whoever catches up gets what they may see then.
function left_meanwhile(h, topics, entry, t) {
  return entry.topics.every((topic) => {
    const span = span_at(topics.get(topic), entry.seq);
    return !span || (span.to !== Infinity && h.by_seq.get(span.to).earliest <= t);
  });
}

// What was due (member then, and no reason to be let off) and did not come: before the last event that came it is a
// SILENT-GAP; past it, and in time for the connection's end, it is LIVENESS. So is what came too late.
function check_due(h, conn, report) {
  const topics = h.members.of(conn.user);
  const came = in_order(conn);
  const open_to = conn.close ? conn.close.t : (h.end?.t ?? 0);
  const to_the_end = h.end && (!conn.close || conn.close.t > h.end.t);
  let next = 0;
  let late = null;
  for (const e of after(h.log, conn.since)) {
    while (next < came.length && conn.seqs[came[next]] < e.seq) next++;
    const i = came[next];
    const is_there = i !== undefined && conn.seqs[i] === e.seq;
    if (is_there) {
      const owed = h.keys.get(e.key)?.acked?.t1;
      if (!late && owed !== undefined && conn.times[i] - owed > LATE_US && conn.times[i] > deadline(h, conn, owed)) late = { e, i };
      continue;
    }
    if (e.silent || !is_due(topics, e)) continue;
    if (left_meanwhile(h, topics, e, i === undefined ? Infinity : conn.times[i])) continue;
    if (i !== undefined) {
      report('SILENT-GAP', `${conn.name} never saw seq ${e.seq}, only later ones`, conn.at, e.at, conn.ats[i]);
      continue;
    }
    const owed = h.keys.get(e.key)?.acked;
    if (to_the_end || (owed && deadline(h, conn, owed.t1) < open_to)) {
      report('LIVENESS', to_the_end ? `${conn.name} had not seen seq ${e.seq} ${h.end.waited_ms} ms after the load` : `${conn.name} was never told of seq ${e.seq}`,
        conn.at, e.at, owed?.at);
      if (!to_the_end) break;
    }
  }
  if (late) report('LIVENESS', `${conn.name} saw seq ${late.e.seq} later than 10 s after its ok and all healing`, h.keys.get(late.e.key).acked.at, conn.ats[late.i]);
}

// Places in the connection's arrays by rising seq; mostly as they are.
function in_order(conn) {
  const places = Array.from(conn.seqs, (_, i) => i);
  for (let i = 1; i < places.length; i++)
    if (conn.seqs[i] < conn.seqs[i - 1]) return places.sort((a, b) => conn.seqs[a] - conn.seqs[b] || a - b);
  return places;
}

// Until when what was owed at `owed` has to have come: 10 s, begun anew by the end of each trouble in that time.
function deadline(h, conn, owed) {
  let t = owed + LATE_US;
  for (const x of [...h.troubles].sort((a, b) => a.from - b.from)) {
    if (x.conn !== undefined && x.conn !== conn.name) continue;
    if (x.from < t && x.to > owed) t = Math.max(t, x.to + LATE_US);
  }
  return t;
}
