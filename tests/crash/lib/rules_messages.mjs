// Rules about messages: what senders were told against what is there. LOST, DUP, GHOST, UNKNOWN, DIVERGE, REALTIME.

const place = (r) => `${r.channel}/${r.ts}`;
const deleted = (k, outcomes) => k.changes.some((c) => c.op === 'delete' && outcomes.includes(c.outcome));

// The texts that a message may have at the end, or null when every one is as good: what the last answered edit says, or
// an edit whose outcome is not known.
function hashes_of(k) {
  const edits = k.changes.filter((c) => c.op === 'edit');
  const answered = edits.filter((c) => c.outcome === 'ok');
  const last = answered.length ? answered[answered.length - 1] : { hash: k.hash };
  return [last.hash, ...edits.filter((c) => c.outcome === 'unknown').map((c) => c.hash)];
}

export function check_messages(h, report) {
  const at_place = new Map(h.reads.map((r) => [place(r), r]));
  check_answers(h, at_place, report);
  check_reads(h, report);
  check_seen(h, at_place, report);
  check_agreement(h, at_place, report);
  check_unknown(h, at_place, report);
  check_realtime(h, report);
}

// What was acknowledged at a place is at that place, as it was sent and edited; what was deleted is not.
function check_answers(h, at_place, report) {
  for (const k of h.keys.values()) {
    if (!k.acked) continue;
    if (k.acked_elsewhere)
      report('DUP', `key ${k.key} was acknowledged at ${k.acked.ts} and at ${k.acked_elsewhere.ts}`, k.acked.at, k.acked_elsewhere.at);
    const read = at_place.get(`${k.channel}/${k.acked.ts}`);
    if (!read) {
      if (!deleted(k, ['ok', 'unknown'])) report('LOST', `key ${k.key} was acknowledged with ts ${k.acked.ts} and is not there`, k.begun.at, k.acked.at);
    } else if (deleted(k, ['ok'])) {
      const gone = k.changes.find((c) => c.op === 'delete' && c.outcome === 'ok');
      report('LOST', `the deletion of key ${k.key} was acknowledged, and it is still there`, gone.at, gone.answered, read.at);
    } else if (read.key !== k.key) {
      report('LOST', `in the place of key ${k.key} there is another message`, k.begun.at, k.acked.at, read.at);
    } else if (!hashes_of(k).includes(read.hash)) {
      const edit = k.changes.filter((c) => c.op === 'edit' && c.outcome === 'ok').pop();
      report('LOST', `key ${k.key} has not the text that was acknowledged`, edit?.at ?? k.begun.at, edit?.answered ?? k.acked.at, read.at);
    }
  }
}

function ghost(h, r, report) {
  const k = h.keys.get(r.key);
  if (!k) report('GHOST', `nobody sent the message with key ${r.key}`, r.at);
  else if (k.failed && k.failed === k.sends) report('GHOST', `key ${r.key} is there though its send was refused`, k.begun.at, k.fail_at, r.at);
  return k;
}

function check_reads(h, report) {
  const by_key = new Map();
  for (const r of h.reads) {
    if (!ghost(h, r, report)) continue;
    const earlier = by_key.get(r.key);
    if (earlier) report('DUP', `key ${r.key} stands at ${earlier.ts} and at ${r.ts}`, earlier.at, r.at);
    else by_key.set(r.key, r);
  }
}

// What somebody saw is there, too. Each message once, by the first who saw it.
function check_seen(h, at_place, report) {
  for (const [seq, r] of h.seen) {
    if (!r.key || r.op || h.by_seq.get(seq)?.at === r.at) continue;
    const k = h.keys.get(r.key);
    if (!at_place.has(place(r))) {
      ghost(h, r, report);
      if (k && !deleted(k, ['ok', 'unknown'])) report('LOST', `key ${r.key} was seen at ${r.ts} and is not there`, r.at);
    } else if (k && k.acked && k.acked.ts !== r.ts) {
      report('DUP', `key ${r.key} was acknowledged at ${k.acked.ts} and seen at ${r.ts}`, k.acked.at, r.at);
    }
  }
}

// One seq, one event; one place, one message; what the log says in the end is what a read gives.
function check_agreement(h, at_place, report) {
  for (const { seq, first, other } of h.clashes) report('DIVERGE', `seq ${seq} is one thing to one and another to another`, first.at, other.at);
  const final = new Map();
  for (const e of h.log) {
    if (!e.key) continue;
    if (e.op === 'delete') final.delete(place(e));
    else if (!e.op || final.has(place(e))) final.set(place(e), e);
  }
  for (const [where, e] of final) {
    const read = at_place.get(where);
    if (read && (read.key !== e.key || read.hash !== e.hash)) report('DIVERGE', `${where} is one message in the log and another in a read`, e.at, read.at);
    else if (!read && h.keys.get(e.key)?.acked && deleted(h.keys.get(e.key), ['unknown']))
      report('DIVERGE', `${where} is in the log and not in a read`, e.at);
  }
  for (const r of h.reads) {
    const k = h.keys.get(r.key);
    if (!final.has(place(r)) && k?.acked) report('DIVERGE', `${place(r)} is in a read and not in the log`, k.acked.at, r.at);
  }
}

// P9: of what was never said to have happened, all agree whether it has; and nobody is told that it has not when it has.
function check_unknown(h, at_place, report) {
  const read_of = new Map(h.reads.map((r) => [r.key, r]));
  for (const k of h.keys.values()) {
    if (k.unknown_at === undefined) continue;
    const read = read_of.get(k.key);
    if (k.denied_at !== undefined && (read || k.entry))
      report('UNKNOWN', `the outcome of key ${k.key} was unknown, then said to be a refusal, and it is there`, k.unknown_at, k.denied_at, (read ?? k.entry).at);
    if (k.acked || deleted(k, ['ok', 'unknown'])) continue;
    if (read && !k.entry) report('UNKNOWN', `key ${k.key}, of unknown outcome, is in a read and not in the log`, k.begun.at, k.unknown_at, read.at);
    if (!read && k.entry) report('UNKNOWN', `key ${k.key}, of unknown outcome, is in the log and not in a read`, k.begun.at, k.unknown_at, k.entry.at);
  }
}

// In each channel, by the time at which a send began, against the highest ts acknowledged before.
function check_realtime(h, report) {
  const channels = new Map();
  for (const k of h.keys.values()) {
    if (!k.acked) continue;
    if (!channels.has(k.channel)) channels.set(k.channel, []);
    channels.get(k.channel).push(k);
  }
  for (const list of channels.values()) {
    const acks = [...list].sort((a, b) => a.acked.t1 - b.acked.t1);
    let highest = null;
    let next = 0;
    for (const k of list.sort((a, b) => a.begun.t0 - b.begun.t0)) {
      for (; next < acks.length && acks[next].acked.t1 < k.begun.t0; next++)
        if (!highest || acks[next].acked.ts > highest.acked.ts) highest = acks[next];
      if (highest && highest.acked.ts >= k.acked.ts)
        report('REALTIME', `${k.key} was sent after the ok of ${highest.key} but stands before it`, highest.acked.at, k.begun.at, k.acked.at);
    }
  }
}
