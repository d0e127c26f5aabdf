// The checker is trusted only after it has caught faults that were put into the server on purpose. Each is a line of a
// build with -DTAUT_MUTANTS=ON, behind MUTANT("name"), chosen by TAUT_MUTANT: `node mutants.mjs [NAME …]`. One that is
// not caught in two minutes, or by another rule than those that it breaks, is a failure of the checker or of the load.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';

import { describe } from './checker.mjs';
import { crash_run } from './lib/crash_run.mjs';
import { stalled_run } from './lib/stalled_run.mjs';
import { new_seed, Random } from './lib/random.mjs';
import { ROOT } from './lib/server.mjs';
import { finish, note, ok } from './lib/tap.mjs';

const TIME_MS = 120_000;
const BIN = process.env.TAUT_MUTANTS_BIN;

const kills = (random) => [0, 1, 2].map(() => ({ after_ms: 250 + random.next() * 500 }));
// The first server is always without the fault: after it comes one for so long.
const one_life = (ms) => (random) => [{ after_ms: 100 }, { after_ms: ms * (0.8 + random.next() * 0.4), stop: true }];
const pauses = () => [{ after_ms: 100 }, ...Array.from({ length: 12 }, () => ({ after_ms: 150, pause_ms: 200 }))];

// How a run has to be for a fault to show: what happens to the server, how it is set up, who is there.
const LOADS = {
  killed: { rounds: kills },
  running: { rounds: one_life(1500) },
  reading: { rounds: one_life(3000), settings: { cache: '3KiB' }, sizes: { senders: 4, looks: 8, stalls: false, churn_ms: 2 } },
  lagging: { rounds: one_life(3000), settings: { connection_queue: '96KiB' }, sizes: { receivers: 6 } },
  lagging_past_the_tail: { rounds: one_life(3000), settings: { connection_queue: '96KiB', tail_events: 200 }, sizes: { receivers: 6 } },
  hopping: { rounds: one_life(3000), sizes: { hoppers: 16, stalls: false } },
  paused: { rounds: pauses, settings: { call_timeout: '100ms' }, sizes: { stalls: false } },
};

// By what is broken: the name, what it is, the rules that must see it, the load that shows it.
const MUTANTS = [
  ['ack_before_commit', 'an ok that leaves before the commit', ['LOST'], 'killed'],
  ['publish_before_commit', 'an event that leaves before the commit', ['LOST'], 'killed'],
  ['claims_in_memory', 'keys that are forgotten by a restart', ['DUP'], 'killed'],
  ['seq_for_refused', 'a seq that is given to a refused batch', ['HOLE'], 'running'],
  ['stale_rows', 'a row in the cache that a commit has made untrue', ['LEAK', 'REALTIME'], 'running'],
  ['outdated_join', 'a read from before a commit that is handed to who asks after it', ['LEAK', 'REALTIME'], 'reading'],
  ['timeout_is_failure', 'a time-out that is said to be a failure', ['GHOST', 'UNKNOWN'], 'paused'],
  ['attach_without_changes', 'a connection that begins with memberships of before', ['LEAK', 'SILENT-GAP', 'LIVENESS'], 'hopping'],
  ['refill_off_by_one', 'a refill that begins one event too late', ['SILENT-GAP', 'LIVENESS'], 'lagging'],
  ['tail_overwritten', 'a tail that is too short and does not say so', ['SILENT-GAP', 'LIVENESS'], 'lagging_past_the_tail'],
  ['lag_skips_queue', 'a lagging connection that loses what its queue had', ['SILENT-GAP', 'LIVENESS'], 'lagging'],
  ['lag_ends_early', 'a lagging connection that turns live before it has caught up', ['SILENT-GAP', 'LIVENESS'], 'lagging'],
  ['since_ignored', 'a refill of what is older than the membership', ['LEAK'], 'lagging'],
  ['leave_late', 'a removal that takes effect after its event', ['LEAK'], 'running'],
  ['swap', 'two events swapped in a queue', ['ORDER'], 'running'],
  ['drop', 'one delivery in ten thousand dropped', ['SILENT-GAP', 'LIVENESS'], 'running'],
  ['repeat', 'an event sent twice', ['REPEAT'], 'running'],
  ['queue_without_bound', 'a queue without a bound', ['MEMORY'], 'stalled'],
  ['retried_sync', 'a failed sync that is tried again', ['STALE-ACK'], 'traced'],
];

// name: of the fault, or nothing
async function run_once(name, load) {
  const random = new Random(new_seed());
  const env = name ? { TAUT_MUTANT: name } : {};
  if (load === 'stalled') return stalled_run({ env, bin: BIN });
  const { rounds, ...rest } = LOADS[load];
  return crash_run({ rounds: rounds(random), env, bin: BIN, network: false, ...rest });
}

// Under strace: the test is its own program, and says what it found.
function run_traced(name) {
  const env = { ...process.env, TAUT: BIN, TAUT_MUTANT: name };
  const { stdout } = spawnSync(process.execPath, [path.join(ROOT, 'tests/crash/ack_after_fsync.mjs')], { env, encoding: 'utf8' });
  const said = /^ +# STALE-ACK: .*\n(?: +# .*\n){1,6}/m.exec(stdout)?.[0].replace(/^ +# /gm, '');
  return said ? { rule: 'STALE-ACK', said } : null;
}

// {rule, said, ms}, or null.
async function caught(name, rules, load) {
  const began = Date.now();
  do {
    if (load === 'traced') {
      const hit = run_traced(name);
      if (hit) return { ...hit, ms: Date.now() - began };
      continue;
    }
    const run = await run_once(name, load);
    rmSync(run.dir, { recursive: true, force: true });
    const hits = run.found.filter((f) => rules.includes(f.rule));
    if (hits.length) return { rule: hits[0].rule, said: describe(hits.slice(0, 1)), ms: Date.now() - began };
    note(`${name}: not caught yet; found ${[...new Set(run.found.map((f) => f.rule))].join(', ') || 'nothing'}`);
  } while (Date.now() - began < TIME_MS);
  return null;
}

// The same loads find nothing in the same build without a fault.
async function control(load) {
  const run = await run_once('', load);
  ok(run.found.length === 0, `without a fault the checker finds nothing (${load})`, describe(run.found));
  rmSync(run.dir, { recursive: true, force: true });
}

const names = process.argv.slice(2);
if (!names.length) for (const load of [...Object.keys(LOADS), 'stalled']) await control(load);
const unknown = names.filter((n) => !MUTANTS.some((m) => m[0] === n));
if (unknown.length) throw new Error(`no mutant is called ${unknown.join(', ')}`);
const table = [];
for (const [name, what, rules, load] of MUTANTS) {
  if (names.length && !names.includes(name)) continue;
  let hit = null;
  let why = `not in ${TIME_MS / 1000} s`;
  try {
    hit = await caught(name, rules, load);
  } catch (e) {
    why = e.stack;
  }
  ok(hit && hit.ms <= TIME_MS, `the checker catches ${what} (${name})`, why);
  if (hit) note(hit.said);
  table.push(`${name.padEnd(24)} ${(hit?.rule ?? 'MISSED').padEnd(12)} ${hit ? (hit.ms / 1000).toFixed(1).padStart(6) : '     -'} s`);
}
note(`\nmutant                   caught by       after\n${table.join('\n')}`);
finish();
