// The history checker: from what clients wrote down, what the log holds and what a full read gives at the end, it says
// which promise was broken, with the records that prove it. It knows nothing of the server's insides. README.md lists
// the records. A history is a file or a list of records; times are microseconds of one monotonic clock.
import { fileURLToPath } from 'node:url';

import { records_at } from './lib/history.mjs';
import { index } from './lib/index.mjs';
import { check_connections } from './lib/rules_connections.mjs';
import { check_messages } from './lib/rules_messages.mjs';
import { check_disk, check_log, check_looks, check_memory } from './lib/rules_state.mjs';

export const RULES = {
  LOST: 'every acknowledged or seen message is there at the end, unchanged',
  DUP: 'no key stands at two places',
  HOLE: 'seq has no holes',
  GHOST: 'every message was sent by somebody, and not one whose send failed is there',
  DIVERGE: 'all observers agree on what stands where',
  ORDER: 'no connection saw seq or the ts of a channel go back',
  'SILENT-GAP': 'every connection got all that was due to it, or was told that it did not',
  REPEAT: 'nobody saw an event twice, on one connection or on the next',
  REALTIME: 'what was sent after an ok stands after it, and what is read after an ok shows it',
  LEAK: 'nobody saw or read anything of a channel that they were not in',
  'STALE-ACK': 'nothing left before the fsync that covers it had returned',
  LIVENESS: 'everybody had caught up ten seconds after healing',
  UNKNOWN: 'what is unknown is found by all or by none, and never said to have failed when it has not',
  MEMORY: 'the server kept within its memory while clients did not read',
};

const KEPT = 100; // findings of a rule; of more, nobody reads the rest

export function check(source) {
  const h = index(source);
  const counts = {};
  const found = [];
  const report = (rule, text, ...places) => {
    counts[rule] = (counts[rule] ?? 0) + 1;
    if (counts[rule] <= KEPT) found.push({ rule, text, evidence: places.filter((at) => at !== undefined) });
  };
  for (const rules of [check_messages, check_log, check_connections, check_looks, check_disk, check_memory]) rules(h, report);
  const records = records_at(source, found.flatMap((f) => f.evidence));
  return found.map((f) => ({ ...f, evidence: f.evidence.map((at) => records.get(at)) }));
}

// What was found, by rule, each with its first counter-examples.
export function describe(found, examples = 3) {
  const lines = [];
  for (const rule of Object.keys(RULES)) {
    const of_rule = found.filter((f) => f.rule === rule);
    if (!of_rule.length) continue;
    lines.push(`${rule}: ${of_rule.length}${of_rule.length === KEPT ? ' or more' : ''}`);
    for (const f of of_rule.slice(0, examples)) {
      lines.push(`  ${f.text}`);
      for (const r of f.evidence) lines.push(`    ${JSON.stringify(r)}`);
    }
  }
  return lines.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv[2]) {
    console.error('usage: node checker.mjs HISTORY.jsonl');
    process.exit(2);
  }
  const found = check(process.argv[2]);
  console.log(found.length ? describe(found) : 'nothing found');
  process.exit(found.length ? 1 : 0);
}
