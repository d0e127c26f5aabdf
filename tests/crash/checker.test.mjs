// The checker on histories written by hand: a sound one, and one small change to it for each rule.
import assert from 'node:assert/strict';
import test from 'node:test';

import { check, RULES } from './checker.mjs';

// Two people in C1 and C2; U2 leaves C2 with seq 3 and comes back with seq 5. m1 in C1 (seq 1), m2 in C2 (seq 2), m3
// in C2 while U2 is out (seq 4), m4 in C1 (seq 6). m2 was sent twice.
function history() {
  const send = (id, channel, key, t0) => ({ e: 'send', id, proc: 's', channel, key, hash: `h-${key}`, t0 });
  const answer = (id, ts, t1) => ({ e: 'ok', id, ts, t1 });
  const log = (seq, channel, ts, key, deltas = []) => ({ e: 'log', seq, topics: [channel], deltas, channel, ts, key });
  const recv = (conn, seq, channel, ts, key, t = seq * 15) => ({ e: 'recv', conn, seq, type: 'message', channel, ts, key, hash: `h-${key}`, t });
  const read = (channel, ts, key) => ({ e: 'read', channel, ts, key, hash: `h-${key}` });
  const both = ['U1', 'U2'].flatMap((user) => ['C1', 'C2'].map((topic) => ({ e: 'member', user, topic, seq: 0 })));
  return [
    ...both,
    { e: 'open', conn: 'a', user: 'U1', seq: 0, t: 0 },
    { e: 'open', conn: 'b', user: 'U2', seq: 0, t: 0 },
    send(1, 'C1', 'm1', 10), answer(1, '1.1', 20), recv('a', 1, 'C1', '1.1', 'm1'), recv('b', 1, 'C1', '1.1', 'm1'),
    send(2, 'C2', 'm2', 30), { e: 'unknown', id: 2, t1: 40 },
    send(3, 'C2', 'm2', 50), answer(3, '1.2', 60), recv('a', 2, 'C2', '1.2', 'm2'), recv('b', 2, 'C2', '1.2', 'm2'),
    { e: 'peek', user: 'U2', channel: 'C2', allowed: false, t0: 65, t1: 66 },
    send(4, 'C2', 'm3', 70), answer(4, '1.3', 80), recv('a', 4, 'C2', '1.3', 'm3'),
    send(5, 'C1', 'm4', 90), answer(5, '1.4', 95), recv('a', 6, 'C1', '1.4', 'm4'), recv('b', 6, 'C1', '1.4', 'm4'),
    send(6, 'C1', 'm5', 96), { e: 'fail', id: 6, error: 'no_text', t1: 97 },
    { e: 'end', t: 100, waited_ms: 10 },
    read('C1', '1.1', 'm1'), read('C1', '1.4', 'm4'), read('C2', '1.2', 'm2'), read('C2', '1.3', 'm3'),
    log(1, 'C1', '1.1', 'm1'), log(2, 'C2', '1.2', 'm2'),
    { ...log(3, 'C2', '1.25', null, [{ how: '-', who: 'U2', topic: 'C2' }]), silent: true },
    log(4, 'C2', '1.3', 'm3'),
    { ...log(5, 'C2', '1.35', null, [{ how: '+', who: 'U2', topic: 'C2' }]), silent: true },
    log(6, 'C1', '1.4', 'm4'),
  ];
}

const is = (want) => (r) => Object.entries(want).every(([k, v]) => r[k] === v);
const without = (h, want) => h.filter((r) => !is(want)(r));
const change = (h, want, to) => h.map((r) => (is(want)(r) ? { ...r, ...to } : r));
const after = (h, want, more) => h.flatMap((r) => (is(want)(r) ? [r, more(r)] : [r]));
function swap(h, want_a, want_b) {
  const a = h.findIndex(is(want_a));
  const b = h.findIndex(is(want_b));
  const out = [...h];
  [out[a], out[b]] = [out[b], out[a]];
  return out;
}

const CASES = [
  ['LOST', 'an acknowledged message is missing', (h) => without(without(h, { e: 'read', key: 'm4' }), { e: 'recv', key: 'm4' })],
  ['LOST', 'a message came out with another text', (h) => change(h, { e: 'read', key: 'm1' }, { hash: 'other' })],
  ['LOST', 'a message was seen and is gone, though never acknowledged', (h) =>
    without(without(h, { e: 'read', key: 'm1' }), { e: 'ok', id: 1 })],
  ['DUP', 'a key stands at two places', (h) => after(h, { e: 'read', key: 'm2' }, (r) => ({ ...r, ts: '1.9' }))],
  ['DUP', 'a retry was acknowledged with another ts', (h) => [
    ...h, { e: 'send', id: 7, proc: 's', channel: 'C1', key: 'm1', hash: 'h-m1', t0: 98 }, { e: 'ok', id: 7, ts: '1.8', t1: 99 }]],
  ['GHOST', 'a message that nobody sent', (h) => [...h, { e: 'read', channel: 'C1', ts: '0.5', key: 'mX', hash: 'x' }]],
  ['GHOST', 'a message whose send was refused', (h) => [...h, { e: 'read', channel: 'C1', ts: '1.7', key: 'm5', hash: 'h-m5' }]],
  ['DIVERGE', 'a connection has another message at that place', (h) => change(h, { e: 'recv', conn: 'b', key: 'm1' }, { key: 'm4' })],
  ['DIVERGE', 'a seq is another place to another', (h) => change(h, { e: 'recv', conn: 'b', seq: 1 }, { ts: '1.4', key: 'm4' })],
  ['ORDER', 'two events arrive swapped', (h) => swap(h, { e: 'recv', conn: 'a', seq: 4 }, { e: 'recv', conn: 'a', seq: 6 })],
  ['REPEAT', 'an event comes twice', (h) => after(h, { e: 'recv', conn: 'b', seq: 2 }, (r) => r)],
  ['REPEAT', 'an event comes from before the hello', (h) => change(h, { e: 'open', conn: 'a' }, { seq: 1 })],
  ['REALTIME', 'a later message stands before an earlier one', (h) => h.map((r) => (r.ts === '1.4' ? { ...r, ts: '1.05' } : r))],
  ['LEAK', 'somebody who was out saw an event', (h) =>
    after(h, { e: 'recv', conn: 'a', seq: 4 }, (r) => ({ ...r, conn: 'b' }))],
  ['LEAK', 'somebody saw the event with which they left', (h) =>
    after(h, { e: 'recv', conn: 'b', seq: 2 }, (r) => ({ ...r, seq: 3, ts: '1.25', key: undefined }))],
  ['LEAK', 'somebody who was out could read', (h) => change(h, { e: 'peek' }, { allowed: true })],
  ['HOLE', 'a seq is missing', (h) => without(h, { e: 'log', seq: 5 })],
  ['SILENT-GAP', 'an event never came, later ones did', (h) => without(h, { e: 'recv', conn: 'a', seq: 2 })],
  ['SILENT-GAP', 'an event of a channel that was left only later never came', (h) => [
    ...without(h, { e: 'recv', conn: 'b', seq: 1 }),
    { e: 'log', seq: 7, topics: ['C1'], deltas: [{ how: '-', who: 'U2', topic: 'C1' }], silent: true }]],
  ['LIVENESS', 'the last event has not come', (h) => without(h, { e: 'recv', conn: 'b', seq: 6 })],
];

const rules_of = (h) => [...new Set(check(h).map((f) => f.rule))];

test('a sound history is left alone', () => assert.deepEqual(check(history()), []));

for (const [rule, what, mutate] of CASES)
  test(`${rule}: ${what}`, () => assert.ok(rules_of(mutate(history())).includes(rule), `found ${rules_of(mutate(history()))}`));

test('every rule has a case', () => assert.deepEqual(Object.keys(RULES).filter((r) => !CASES.some((c) => c[0] === r)), []));

test('a connection that broke is due nothing more', () => {
  const h = without(history(), { e: 'recv', conn: 'b', seq: 6 });
  h.splice(h.findIndex(is({ e: 'end' })), 0, { e: 'close', conn: 'b', t: 85 });
  assert.deepEqual(check(h), []);
});

test('a connection that was behind gets nothing of a channel that its user has left meanwhile', () => {
  const h = without(history(), { e: 'recv', conn: 'b', seq: 2 });
  assert.deepEqual(check(change(h, { e: 'recv', conn: 'b', seq: 6 }, { t: 99 })), []);
});
