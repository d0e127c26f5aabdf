// Small C programs of the tests, compiled when first needed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { message_of } from './rtm.mjs';
import { ROOT } from './server.mjs';
import { hash_of } from './text.mjs';

const mtime = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

// Of the newest: that file, or a header beside it.
function newest(file) {
  const dir = path.dirname(file);
  const headers = readdirSync(dir).filter((name) => name.endsWith('.h'));
  return Math.max(...[file, ...headers.map((name) => path.join(dir, name))].map(mtime));
}

// The program of tests/…/NAME.c, newer than its source.
export function compiled(source, libs = []) {
  const from = path.join(ROOT, 'tests', source);
  const to = path.join(ROOT, 'build/tools', path.basename(source, '.c'));
  if (mtime(to) > newest(from)) return to;
  mkdirSync(path.dirname(to), { recursive: true });
  const flags = '-std=gnu11 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion'.split(' ');
  execFileSync(process.env.CC ?? 'cc', [...flags, '-o', to, from, ...libs.map((l) => `-l${l}`)], { stdio: 'inherit' });
  return to;
}

// The log of a data directory as records of the history.
export function log_records(dir, workspace) {
  const text = execFileSync(compiled('crash/dumplog.c', ['sqlite3']), [path.join(dir, 'taut.db')], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const rows = text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return rows.filter((r) => r.workspace === workspace).map(log_record);
}

function log_record({ seq, topics, deltas, body }) {
  const { text, ...m } = (body && message_of(body)) ?? {};
  return {
    seq,
    ...(body ? { type: body.type } : { silent: true }),
    topics: (topics ?? '').split(' ').filter(Boolean),
    deltas: (deltas ?? '').split(',').filter(Boolean).map(delta),
    ...m,
    ...(text !== undefined ? { hash: hash_of(text) } : {}),
  };
}

// "+U1 C1"
function delta(text) {
  const [who, topic] = text.slice(1).split(' ');
  return { how: text[0], who, topic };
}
