// Rules about reads while the load runs (LEAK, REALTIME), the log (HOLE), the disk (STALE-ACK) and memory (MEMORY).
import { holds_all, touches } from './topics.mjs';

// A read gives some state of the log between what was answered before it began and what was begun before it ended. So
// there must be a position in between at which its reader was let in, or was not, as it says.
export function check_looks(h, report) {
  const answered = answers_by_time(h);
  for (const look of h.looks) {
    const { floor, newest } = answered.before(look.t0, look.channel);
    const hi = last_begun(h.log, look.t1);
    const spans = h.members.of(look.user).get(look.channel);
    const lo = floor ? floor.seq : (h.log[0]?.seq ?? 1) - 1;
    if (!look.allowed) {
      if (holds_all(spans, lo, hi)) report('REALTIME', `${look.user} was refused a read of ${look.channel}, a member all that time`, look.at, floor?.at);
      continue;
    }
    const shown = look.ts ? h.by_place.get(`${look.channel}/${look.ts}`) : null;
    if (!touches(spans, lo, hi)) report('LEAK', `${look.user} could read ${look.channel} after being removed from it`, left_at(h, spans, lo)?.at, look.at);
    else if (shown && !touches(spans, Math.max(lo, shown.seq), hi))
      report('LEAK', `${look.user} read a message of ${look.channel} from after being removed`, left_at(h, spans, shown.seq)?.at, shown.at, look.at);
    if (newest && (look.ts ?? '') < newest.ts) report('REALTIME', `a read of ${look.channel} does not show what was acknowledged before it began`, newest.acked_at, look.at);
  }
}

function left_at(h, spans, seq) {
  const ended = (spans ?? []).filter((s) => s.to <= seq);
  return ended.length ? h.by_seq.get(ended[ended.length - 1].to) : undefined;
}

// By the time of answers: the highest position of the log known to be reached, and in each channel the newest post that
// is there to stay.
function answers_by_time(h) {
  const all = [];
  const posts = new Map();
  for (const k of h.keys.values()) {
    if (!k.acked || !k.entry) continue;
    all.push({ t: k.acked.t1, seq: k.entry.seq, at: k.acked.at });
    if (k.changes.some((c) => c.op === 'delete')) continue;
    if (!posts.has(k.channel)) posts.set(k.channel, []);
    posts.get(k.channel).push({ t: k.acked.t1, ts: k.acked.ts, acked_at: k.acked.at });
  }
  for (const c of h.churns) if (c.seq) all.push({ t: c.t1, seq: c.seq, at: h.by_seq.get(c.seq).at });
  const floors = rising(all, (a, b) => a.seq > b.seq);
  const newest = new Map([...posts].map(([channel, list]) => [channel, rising(list, (a, b) => a.ts > b.ts)]));
  return { before: (t, channel) => ({ floor: last_before(floors, t), newest: last_before(newest.get(channel) ?? [], t) }) };
}

// By time, each with the most of all up to it.
function rising(list, is_more) {
  list.sort((a, b) => a.t - b.t);
  let most = null;
  return list.map((x) => {
    if (!most || is_more(x, most)) most = x;
    return { ...most, t: x.t };
  });
}

function last_before(list, t) {
  let lo = 0;
  let hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (list[mid].t < t) lo = mid + 1;
    else hi = mid;
  }
  return lo ? list[lo - 1] : null;
}

// The last position that can have been reached by then.
function last_begun(log, t) {
  let lo = 0;
  let hi = log.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (log[mid].earliest <= t) lo = mid + 1;
    else hi = mid;
  }
  return lo ? log[lo - 1].seq : 0;
}

export function check_log(h, report) {
  let last = { seq: 0, at: undefined };
  for (const e of h.log) {
    if (e.seq !== last.seq + 1) report('HOLE', `after seq ${last.seq} the log goes on with ${e.seq}`, last.at, e.at);
    last = e;
  }
}

// What left was written before, and a sync that began after the write had ended had come back well. A handle whose sync
// failed once covers nothing any more (promise P6): what it says of pages that it could not write is not to be trusted.
export function check_disk(h, report) {
  const wrote = new Map(); // key -> its first write on each handle: the page that holds it is written with others again
  const failed = new Map(); // handle -> its first failed sync
  const told = new Set();
  const syncs = [];
  for (const r of h.disk) {
    if (r.e === 'wrote') {
      if (!wrote.has(r.key)) wrote.set(r.key, []);
      if (!wrote.get(r.key).some((w) => w.handle === r.handle)) wrote.get(r.key).push(r);
    } else if (r.e === 'synced') {
      if (!r.ok && !failed.has(r.handle)) failed.set(r.handle, r);
      else if (r.ok) syncs.push({ ...r, spoilt: failed.get(r.handle) });
    } else if (!told.has(r.key)) {
      const problem = uncovered(wrote.get(r.key) ?? [], syncs, failed, r);
      if (!problem) continue;
      told.add(r.key);
      report('STALE-ACK', problem.text, ...problem.places);
    }
  }
}

function uncovered(writes, syncs, failed, left) {
  if (!writes.length) return { text: `${left.key} left and was not written to disk before`, places: [left.at] };
  const covering = [];
  for (const w of writes) for (const s of syncs) if (s.handle === w.handle && s.t0 > w.t && s.t1 < left.t) covering.push(s);
  if (covering.some((s) => !s.spoilt)) return null;
  const last = writes[writes.length - 1];
  if (covering.length) {
    const [s] = covering;
    return { text: `${left.key} left on the word of a handle whose sync had failed before`, places: [last.at, s.spoilt.at, s.at, left.at] };
  }
  return { text: `${left.key} left before a sync that covers it had returned`, places: [last.at, failed.get(last.handle)?.at, left.at] };
}

export function check_memory(h, report) {
  const { bound, most } = h.memory;
  if (bound && most && most.kib > bound.kib) report('MEMORY', `the server had ${most.kib} KiB, more than the ${bound.kib} KiB that it may have`, bound.at, most.at);
}
