// kill -9 under load: `node run.mjs [N]` kills N times at random times and once at each named point, all on one data
// directory, and lets the checker judge.
import { rmSync } from 'node:fs';

import { describe, RULES } from './checker.mjs';
import { crash_run } from './lib/crash_run.mjs';
import { finish, note, ok, test } from './lib/tap.mjs';

const POINTS = ['store.before_commit', 'store.after_commit', 'store.before_answer'];
const KILLS = Number(process.argv[2] ?? 5);
const MIN_MS = 150;
const SPREAD_MS = 1500;

// Random kills, and the points spread evenly among them. The first round is a random one: the server that makes the
// workspace runs without a named point.
function plan(kills) {
  const visits = Math.max(1, Math.round(kills / 15));
  const points = Array.from({ length: visits }, () => POINTS).flat();
  const every = Math.max(1, Math.floor(kills / points.length));
  const rounds = [];
  for (let i = 1; i <= kills; i++) {
    rounds.push({ after_ms: MIN_MS + Math.random() * SPREAD_MS });
    if (i % every === 0 && points.length) rounds.push({ at: `${points.shift()}:${20 + Math.floor(Math.random() * 150)}` });
  }
  return rounds;
}

await test(`the server is killed ${KILLS} times at random and at each of ${POINTS.length} named points, and starts again each time`, async () => {
  const began = Date.now();
  const run = await crash_run({
    rounds: plan(KILLS),
    on_round: (i, round) => {
      if (KILLS > 10 || round.at) note(`round ${i + 1}: ${round.at ? `at ${round.at}` : `kill -9 after ${round.after_ms.toFixed(0)} ms`}`);
    },
  });
  const count = (e) => run.records.filter((r) => r.e === e).length;
  note(`${count('send')} sends: ${count('ok')} ok, ${count('unknown')} unknown, ${count('fail')} refused; ` +
    `${count('recv')} events on ${count('open')} connections; ${count('log')} in the log; ${((Date.now() - began) / 1000).toFixed(1)} s`);
  for (const [rule, promise] of Object.entries(RULES)) {
    const of_rule = run.found.filter((f) => f.rule === rule);
    ok(of_rule.length === 0, `${rule}: ${promise}`, describe(of_rule));
  }
  ok(count('unknown') > 0, 'some sends were cut by the kills, and their outcome was unknown until retried');
  if (run.found.length) note(`the history: ${run.file}`);
  else rmSync(run.dir, { recursive: true, force: true });
});
finish();
