// The checker is trusted only after it has caught faults that were put into the server on purpose. Each fault is a
// switch of a build with -DTAUT_MUTANTS=ON, chosen by TAUT_MUTANT: `node mutants.mjs [NAME …]`.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';

import { describe } from './checker.mjs';
import { crash_run } from './lib/crash_run.mjs';
import { ROOT } from './lib/server.mjs';
import { finish, note, ok } from './lib/tap.mjs';

// Which rule has to fire.
const MUTANTS = {
  ack_before_commit: { rules: ['LOST'], what: 'an ok that leaves before the commit' },
  claims_in_memory: { rules: ['DUP'], what: 'keys that are forgotten by a restart' },
  swap: { rules: ['ORDER'], what: 'two events swapped in the fan-out' },
  drop: { rules: ['SILENT-GAP', 'LIVENESS'], what: 'an event dropped in the fan-out' },
  repeat: { rules: ['REPEAT'], what: 'an event sent twice' },
  leave_late: { rules: ['LEAK'], what: 'a removal that takes effect too late' },
};
const TIME_MS = 110_000;
const SIZES = { senders: 16, receivers: 3 };
const KILLS = 2;

async function caught(mutant, rules) {
  const began = Date.now();
  while (Date.now() - began < TIME_MS) {
    const rounds = [0, ...Array.from({ length: KILLS }, () => 300 + Math.random() * 700)].map((after_ms) => ({ after_ms }));
    const run = await crash_run({ rounds, env: { TAUT_MUTANT: mutant }, bin: process.env.TAUT_MUTANTS_BIN, sizes: SIZES });
    rmSync(run.dir, { recursive: true, force: true });
    const hits = run.found.filter((f) => rules.includes(f.rule));
    if (hits.length) return { hits, ms: Date.now() - began };
    note(`${mutant}: not caught yet; found ${[...new Set(run.found.map((f) => f.rule))].join(', ') || 'nothing'}`);
  }
  return null;
}

for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(MUTANTS)) {
  const { rules, what } = MUTANTS[name];
  try {
    const found = await caught(name, rules);
    ok(found, `the checker catches ${what} (${name})`, `not in ${TIME_MS / 1000} s`);
    if (found) note(`${(found.ms / 1000).toFixed(1)} s\n${describe(found.hits, 1)}`);
  } catch (e) {
    ok(false, `the checker catches ${what} (${name})`, e.stack);
  }
}
// The run under strace has a verdict of its own to be tested.
const TRACE = path.join(ROOT, 'tests/crash/ack_after_fsync.mjs');
const env = { ...process.env, TAUT: process.env.TAUT_MUTANTS_BIN, TAUT_MUTANT: 'ack_before_commit' };
const trace = spawnSync(process.execPath, [TRACE], { env, encoding: 'utf8' });
ok(trace.status === 1 && /left before its fdatasync had returned/.test(trace.stdout),
  'the run under strace catches an ok that leaves before its fdatasync (ack_before_commit)', trace.stdout + trace.stderr);
finish();
