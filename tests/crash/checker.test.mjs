// The checker on histories written by hand: a sound one; for each rule the smallest changes to it that break that rule
// and no other; and beside them changes that look much the same and break nothing.
import assert from 'node:assert/strict';
import test from 'node:test';

import { check, describe, RULES } from './checker.mjs';

const send = (id, channel, key, t0, more = {}) => ({ e: 'send', id, proc: 's', channel, key, hash: `h-${key}`, t0, ...more });
const answer = (id, ts, t1) => ({ e: 'ok', id, ts, t1 });
const log = (seq, channel, ts, key, more = {}) => ({ e: 'log', seq, type: 'message', topics: [channel], deltas: [], channel, ts, key, hash: key && `h-${key}`, ...more });
const change = (seq, how, user, topic) => ({ e: 'log', seq, topics: [topic], deltas: [{ how, who: user, topic }], silent: true });
const recv = (conn, seq, channel, ts, key, t = seq * 100 + 50, more = {}) => ({ e: 'recv', conn, seq, type: 'message', channel, ts, key, hash: `h-${key}`, t, ...more });
const read = (channel, ts, key) => ({ e: 'read', channel, ts, key, hash: `h-${key}` });

// Seq s is sent at s*100 and answered at s*100+40. U1 and U2 are in C1 and C2; U2 leaves C2 with seq 3 and comes back
// with seq 5. m1 in C1 is seq 1, m2 in C2 seq 2 (sent twice), m3 in C2 seq 4, m4 in C1 seq 6 on the second connection
// of each, m4 is edited with seq 7, m5 in C1 is seq 8 and deleted with seq 9, m6 was refused. U2's first connection
// ends after seq 4, its second begins after seq 5 and declares the gap.
function history() {
  return [
    ...['U1', 'U2'].flatMap((user) => ['C1', 'C2'].map((topic) => ({ e: 'member', user, topic, seq: 0 }))),
    { e: 'open', conn: 'a', user: 'U1', seq: 0, t: 0 },
    { e: 'open', conn: 'b.1', stream: 'b', user: 'U2', seq: 0, t: 0 },
    send(1, 'C1', 'm1', 100), answer(1, '1.1', 140), recv('a', 1, 'C1', '1.1', 'm1'), recv('b.1', 1, 'C1', '1.1', 'm1'),
    send(2, 'C2', 'm2', 200), { e: 'unknown', id: 2, t1: 240 },
    send(3, 'C2', 'm2', 250), answer(3, '1.2', 260), recv('a', 2, 'C2', '1.2', 'm2', 261), recv('b.1', 2, 'C2', '1.2', 'm2', 261),
    { e: 'churn', how: '-', user: 'U2', topic: 'C2', t0: 300, t1: 340 },
    { e: 'look', user: 'U2', channel: 'C2', allowed: false, t0: 345, t1: 350 },
    send(4, 'C2', 'm3', 400), answer(4, '1.3', 440), recv('a', 4, 'C2', '1.3', 'm3'),
    { e: 'look', user: 'U1', channel: 'C2', allowed: true, ts: '1.3', t0: 450, t1: 460 },
    { e: 'close', conn: 'b.1', t: 470 },
    { e: 'churn', how: '+', user: 'U2', topic: 'C2', t0: 500, t1: 540 },
    { e: 'open', conn: 'b.2', stream: 'b', user: 'U2', seq: 5, t: 550 },
    { e: 'gap', stream: 'b', from: 2, to: 5, t: 550 },
    send(5, 'C1', 'm4', 600), answer(5, '1.4', 640), recv('a', 6, 'C1', '1.4', 'm4'), recv('b.2', 6, 'C1', '1.4', 'm4'),
    send(6, 'C1', 'm4', 700, { op: 'edit', hash: 'h-m4b' }), answer(6, '1.4', 740),
    recv('a', 7, 'C1', '1.4', 'm4', 750, { op: 'edit', hash: 'h-m4b' }), recv('b.2', 7, 'C1', '1.4', 'm4', 750, { op: 'edit', hash: 'h-m4b' }),
    send(7, 'C1', 'm5', 800), answer(7, '1.5', 840), recv('a', 8, 'C1', '1.5', 'm5'), recv('b.2', 8, 'C1', '1.5', 'm5'),
    send(8, 'C1', 'm5', 900, { op: 'delete' }), answer(8, '1.5', 940),
    recv('a', 9, 'C1', '1.5', 'm5', 950, { op: 'delete' }), recv('b.2', 9, 'C1', '1.5', 'm5', 950, { op: 'delete' }),
    send(9, 'C1', 'm6', 960), { e: 'fail', id: 9, error: 'no_text', t1: 970 },
    { e: 'end', t: 1000, waited_ms: 10 },
    read('C1', '1.1', 'm1'), { ...read('C1', '1.4', 'm4'), hash: 'h-m4b' }, read('C2', '1.2', 'm2'), read('C2', '1.3', 'm3'),
    log(1, 'C1', '1.1', 'm1'), log(2, 'C2', '1.2', 'm2'), change(3, '-', 'U2', 'C2'), log(4, 'C2', '1.3', 'm3'), change(5, '+', 'U2', 'C2'),
    log(6, 'C1', '1.4', 'm4'), log(7, 'C1', '1.4', 'm4', { op: 'edit', hash: 'h-m4b' }), log(8, 'C1', '1.5', 'm5'), log(9, 'C1', '1.5', 'm5', { op: 'delete' }),
  ];
}

// As strace saw it: k1 is written, synced, answered; t counts system calls.
const trace = () => [
  { e: 'wrote', key: 'k1', handle: 'wal#1', t: 1 },
  { e: 'synced', handle: 'wal#1', ok: true, t0: 2, t1: 3 },
  { e: 'left', key: 'k1', t: 4 },
];
const memory = () => [{ e: 'bound', kib: 1000 }, { e: 'rss', kib: 900, t: 1 }];

const is = (want) => (r) => Object.entries(want).every(([k, v]) => r[k] === v);
const without = (h, want) => h.filter((r) => !is(want)(r));
const alter = (h, want, to) => h.map((r) => (is(want)(r) ? { ...r, ...to } : r));
const after = (h, want, ...more) => h.flatMap((r) => (is(want)(r) ? [r, ...more] : [r]));
const everywhere = (h, ts, to) => h.map((r) => (r.ts === ts ? { ...r, ts: to } : r));
function swap(h, want_a, want_b) {
  const [a, b] = [h.findIndex(is(want_a)), h.findIndex(is(want_b))];
  const out = [...h];
  [out[a], out[b]] = [out[b], out[a]];
  return out;
}

// [rule, what breaks it, the history]: exactly that rule.
const BROKEN = [
  ['LOST', 'an acknowledged message that nobody saw is missing', () =>
    [...history(), send(20, 'C1', 'm7', 971), answer(20, '1.7', 980)]],
  ['LOST', 'a message came out with another text', () => alter(alter(alter(history(), { e: 'read', key: 'm1' }, { hash: 'x' }), { e: 'log', key: 'm1' }, { hash: 'x' }), { e: 'recv', key: 'm1' }, { hash: 'x' })],
  ['LOST', 'a message was seen and is gone, though never acknowledged', () =>
    alter(without(history(), { e: 'read', key: 'm1' }), { e: 'ok', id: 1 }, { e: 'fail_', id: 1 }).filter((r) => r.e !== 'fail_')],
  ['LOST', 'an acknowledged edit is not there', () => without(alter(history(), { e: 'read', key: 'm4' }, { hash: 'h-m4' }), { seq: 7 }).map((r) => (r.e === 'log' && r.seq > 7 ? { ...r, seq: r.seq - 1 } : r.e === 'recv' && r.seq > 7 ? { ...r, seq: r.seq - 1 } : r))],
  ['LOST', 'a deleted message is there', () => without([...history(), read('C1', '1.5', 'm5')], { seq: 9 })],
  ['DUP', 'a key stands at two places', () => [...history(), read('C2', '1.9', 'm2'), log(10, 'C2', '1.9', 'm2'), recv('a', 10, 'C2', '1.9', 'm2', 990), recv('b.2', 10, 'C2', '1.9', 'm2', 990)]],
  ['HOLE', 'a seq is missing', () => alter(alter(history(), { e: 'log', seq: 9 }, { seq: 10 }), { e: 'recv', seq: 9 }, { seq: 10 })],
  ['GHOST', 'there is a message that nobody sent', () => [...history(), read('C1', '1.8', 'm8'), log(10, 'C1', '1.8', 'm8', { topics: ['C3'] })]],
  ['GHOST', 'there is a message whose send failed', () => [...history(), read('C1', '1.6', 'm6'), log(10, 'C1', '1.6', 'm6', { topics: ['C3'] })]],
  ['DIVERGE', 'a seq is another text to another', () => alter(history(), { e: 'recv', conn: 'b.1', seq: 1 }, { hash: 'x' })],
  ['DIVERGE', 'a seq is another event to another', () => alter(history(), { e: 'recv', conn: 'a', seq: 9 }, { op: 'edit' })],
  ['DIVERGE', 'an acknowledged message is in a read and not in the log', () => alter(alter(history(), { e: 'log', seq: 4 }, { key: undefined }), { e: 'recv', seq: 4 }, { seq: 4, type: 'message' }).filter((r) => !(r.e === 'look' && r.user === 'U1'))],
  ['ORDER', 'two events arrive swapped', () => swap(history(), { e: 'recv', conn: 'a', seq: 4 }, { e: 'recv', conn: 'a', seq: 6 })],
  ['ORDER', 'seq rises and the ts of a channel goes back', () => everywhere(alter(history(), { e: 'send', id: 7 }, { t0: 630 }), '1.5', '1.35')],
  ['SILENT-GAP', 'an event never came, later ones did', () => without(history(), { e: 'recv', conn: 'a', seq: 2 })],
  ['SILENT-GAP', 'an event that was due before its channel was left never came', () => [...without(history(), { e: 'recv', conn: 'b.1', seq: 1 }), change(10, '-', 'U2', 'C1')]],
  ['SILENT-GAP', 'a stream goes on further along and declares nothing', () => without(alter(history(), { e: 'open', conn: 'b.2' }, { seq: 6 }), { e: 'gap' }).filter((r) => !(r.conn === 'b.2' && r.seq === 6 && r.e === 'recv'))],
  ['SILENT-GAP', 'the gap that is declared is too small', () => alter(alter(history(), { e: 'open', conn: 'b.2' }, { seq: 6, t: 650 }), { e: 'gap' }, { to: 5 }).filter((r) => !(r.conn === 'b.2' && r.seq === 6 && r.e === 'recv'))],
  ['SILENT-GAP', 'a connection begins after what is still to be sent', () => without(without(alter(alter(history(), { e: 'open', conn: 'b.2' }, { seq: 7 }), { e: 'gap' }, { to: 7 }), { e: 'recv', conn: 'b.2', seq: 6 }), { e: 'recv', conn: 'b.2', seq: 7 })],
  ['SILENT-GAP', 'a resumed connection lacks the first that it missed', () => resumed().filter((r) => !(r.e === 'recv' && r.conn === 'b.2' && r.seq === 6))],
  ['REPEAT', 'an event comes twice', () => after(history(), { e: 'recv', conn: 'b.1', seq: 2 }, recv('b.1', 2, 'C2', '1.2', 'm2', 262))],
  ['REPEAT', 'an event comes from before the hello', () => alter(history(), { e: 'open', conn: 'a' }, { seq: 1, t: 145 })],
  ['REPEAT', 'an event comes again after a resume', () => after(alter(resumed(), { e: 'resume' }, { seq: 1 }), { e: 'resume' }, recv('b.2', 2, 'C2', '1.2', 'm2', 560))],
  ['REALTIME', 'a later message stands before an earlier one', () => everywhere(without(history(), { e: 'recv', key: 'm3' }), '1.3', '1.15').map((r) => (r.e === 'look' && r.user === 'U1' ? { ...r, ts: '1.2' } : r)).filter((r) => r.conn !== 'a')],
  ['REALTIME', 'a read does not show what was acknowledged', () => alter(history(), { e: 'look', user: 'U1' }, { ts: '1.2' })],
  ['REALTIME', 'a member is refused a read', () => alter(history(), { e: 'look', user: 'U1' }, { allowed: false })],
  ['LEAK', 'somebody who was out saw an event', () => after(history(), { e: 'recv', conn: 'a', seq: 4 }, recv('b.1', 4, 'C2', '1.3', 'm3', 455))],
  ['LEAK', 'somebody saw the event with which they left', () => after(history(), { e: 'recv', conn: 'b.1', seq: 2 }, { e: 'recv', conn: 'b.1', seq: 3, type: 'left', t: 341 })],
  ['LEAK', 'somebody who was out could read', () => alter(history(), { e: 'look', user: 'U2' }, { allowed: true, ts: '1.2' })],
  ['LEAK', 'a read that races a removal shows what came after it', () => alter(history(), { e: 'look', user: 'U2' }, { allowed: true, ts: '1.3', t0: 290, t1: 410 })],
  ['STALE-ACK', 'an ok left before its sync had returned', () => swap(trace(), { e: 'synced' }, { e: 'left' }).map((r) => (r.e === 'left' ? { ...r, t: 2.5 } : r))],
  ['STALE-ACK', 'an ok left on a sync that had begun before the write', () => alter(trace(), { e: 'wrote' }, { t: 2.5 })],
  ['STALE-ACK', 'an ok left though the sync failed', () => alter(trace(), { e: 'synced' }, { ok: false })],
  ['STALE-ACK', 'a failed sync was tried again on the same handle', () => after(alter(trace(), { e: 'synced' }, { ok: false }), { e: 'synced' }, { e: 'synced', handle: 'wal#1', ok: true, t0: 3.2, t1: 3.4 })],
  ['STALE-ACK', 'an ok left of what was never written', () => without(trace(), { e: 'wrote' })],
  ['LIVENESS', 'the last event has not come', () => without(history(), { e: 'recv', conn: 'b.2', seq: 9 })],
  ['LIVENESS', 'an event came eleven seconds after its ok', () => alter(alter(history(), { e: 'end' }, { t: 2e7 }), { e: 'recv', conn: 'a', seq: 9 }, { t: 1.2e7 }).map((r) => (r.e === 'recv' && r.conn === 'a' && r.seq === 8 ? { ...r, t: 1.1e7 } : r))],
  ['LIVENESS', 'a connection that closed eleven seconds later was never told', () => after(alter(without(without(history(), { e: 'recv', conn: 'b.2', seq: 9 }), { e: 'recv', conn: 'b.2', seq: 8 }), { e: 'end' }, { t: 2e7 }), { e: 'recv', conn: 'a', seq: 9 }, { e: 'close', conn: 'b.2', t: 1.2e7 })],
  ['LIVENESS', 'a client that reads again did not catch up', () => after(alter(alter(history(), { e: 'end' }, { t: 3e7 }), { e: 'recv', conn: 'a', seq: 8 }, { t: 2.5e7 }), { e: 'recv', conn: 'a', seq: 4 }, { e: 'fault', conn: 'a', t: 620 }, { e: 'heal', conn: 'a', t: 1.1e7 }).map((r) => (r.e === 'recv' && r.conn === 'a' && r.seq === 9 ? { ...r, t: 2.6e7 } : r))],
  ['UNKNOWN', 'what was unknown was then refused, and is there', () => alter(history(), { e: 'ok', id: 3 }, { e: 'fail', error: 'no_text' })],
  ['UNKNOWN', 'what was unknown is in the log and not in a read', () => unknown_of(history()).filter((r) => !(r.e === 'read' && r.key === 'm3'))],
  ['UNKNOWN', 'what was unknown is in a read and not in the log', () => alter(unknown_of(history()), { e: 'log', seq: 4 }, { key: undefined, topics: [], silent: true })],
  ['MEMORY', 'the server had more than it may', () => alter(memory(), { e: 'rss' }, { kib: 1100 })],
];

// b.2 resumes instead of beginning anew: no gap, and what came meanwhile comes.
function resumed() {
  const h = without(history(), { e: 'gap' }).filter((r) => !(r.e === 'open' && r.conn === 'b.2'));
  return after(h, { e: 'churn', how: '+' }, { e: 'resume', conn: 'b.2', stream: 'b', user: 'U2', seq: 2, t: 550 });
}

// m3 was never answered, and nobody was connected when it came.
function unknown_of(h) {
  return alter(h, { e: 'ok', id: 4 }, { e: 'unknown' }).filter((r) => !(r.e === 'look' && r.user === 'U1') && r.conn !== 'a');
}

// What looks much the same and is as it should be.
const SOUND = [
  ['the history as it is', history],
  ['the trace as it is', trace],
  ['as much memory as is allowed', () => alter(memory(), { e: 'rss' }, { kib: 1000 })],
  ['LOST: a message whose outcome is unknown is nowhere', () => unknown_of(history()).filter((r) => r.key !== 'm3' || r.e === 'send')
    .concat({ e: 'log', seq: 4, topics: [], deltas: [], silent: true })],
  ['LOST: an edit of unknown outcome is there', () => alter(history(), { e: 'ok', id: 6 }, { e: 'unknown' })],
  ['LOST: a message whose deletion is of unknown outcome is gone', () => alter(history(), { e: 'ok', id: 8 }, { e: 'unknown' })],
  ['DUP: a key is acknowledged twice at one place', () => [...history(), send(20, 'C1', 'm1', 971), answer(20, '1.1', 980)]],
  ['GHOST: one of two sends was refused', () => after(history(), { e: 'ok', id: 1 }, send(20, 'C1', 'm1', 145), { e: 'fail', id: 20, again: true, t1: 148 })],
  ['ORDER: ts of different channels go back', () => everywhere(history(), '1.4', '1.25')],
  ['SILENT-GAP: an event of a channel that was left meanwhile never came', () => without(history(), { e: 'recv', conn: 'b.1', seq: 2 })],
  ['SILENT-GAP: what was missed is older than the membership', () => resumed()],
  ['SILENT-GAP: a connection that broke is due nothing more', () => without(history(), { e: 'recv', conn: 'b.2', seq: 9 }).flatMap((r) => (r.e === 'end' ? [{ e: 'close', conn: 'b.2', t: 945 }, r] : [r]))],
  ['SILENT-GAP: the gap is declared larger than it is', () => alter(history(), { e: 'gap' }, { from: 0, to: 5 })],
  ['REALTIME: two sends overlap and stand the other way round', () => everywhere(alter(without(history(), { e: 'look', user: 'U1' }), { e: 'send', id: 4 }, { t0: 255 }), '1.3', '1.15').filter((r) => r.conn !== 'a')],
  ['REALTIME: a read does not show what is acknowledged while it runs', () => alter(history(), { e: 'look', user: 'U1' }, { ts: '1.2', t0: 430 })],
  ['LEAK: a read that races a removal shows what came before it', () => alter(history(), { e: 'look', user: 'U2' }, { allowed: true, ts: '1.2', t0: 290, t1: 410 })],
  ['STALE-ACK: a failed sync, and the same written and synced on another handle', () => [{ e: 'wrote', key: 'k1', handle: 'wal#1', t: 0.1 }, { e: 'synced', handle: 'wal#1', ok: false, t0: 0.2, t1: 0.3 }, ...alter(trace(), { handle: 'wal#1' }, { handle: 'wal#2' })]],
  ['LIVENESS: an event came late because its reader had stopped to read', () => after(alter(alter(history(), { e: 'end' }, { t: 3e7 }), { e: 'recv', conn: 'a', seq: 8 }, { t: 2e7 }), { e: 'recv', conn: 'a', seq: 4 }, { e: 'fault', conn: 'a', t: 620 }, { e: 'heal', conn: 'a', t: 1.1e7 }).map((r) => (r.e === 'recv' && r.conn === 'a' && r.seq === 9 ? { ...r, t: 2.05e7 } : r))],
  ['LIVENESS: a connection that closed at once was not told', () => after(without(history(), { e: 'recv', conn: 'b.2', seq: 9 }), { e: 'recv', conn: 'a', seq: 9 }, { e: 'close', conn: 'b.2', t: 990 })],
  ['UNKNOWN: a retry that could not be taken said only that', () => after(history(), { e: 'unknown', id: 2 }, send(20, 'C2', 'm2', 241), { e: 'fail', id: 20, error: 'service_unavailable', again: true, t1: 245 })],
];

const rules_of = (found) => [...new Set(found.map((f) => f.rule))];

for (const [rule, what, broken] of BROKEN)
  test(`${rule}: ${what}`, () => {
    const found = check(broken());
    assert.deepEqual(rules_of(found), [rule], describe(found));
    for (const f of found) assert.ok(f.evidence.length >= 1 && f.evidence.length <= 5 && f.evidence.every(Boolean), JSON.stringify(f));
  });

for (const [what, sound] of SOUND) test(`sound: ${what}`, () => assert.equal(describe(check(sound())), ''));

test('every rule has a history that breaks it', () => assert.deepEqual(Object.keys(RULES).filter((r) => !BROKEN.some((c) => c[0] === r)), []));

test('a record of unknown kind is refused', () => assert.throws(() => check([{ e: 'nothing' }]), /record 0 is of unknown kind/));
