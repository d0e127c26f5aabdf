// What a module that was built with counters has run (lib/counted): its servers get GCOV_PREFIX, and write there when
// they end. gcov reads it, beside the notes that the compiler left in the build's folder.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

function filesBelow(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? filesBelow(path.join(dir, e.name)) : [path.join(dir, e.name)]);
}

// { functions: Map name -> times, lines: [{ file, text, count }] } of everything that was run below `prefix`.
export function counted(prefix) {
  const functions = new Map();
  const lines = [];
  for (const file of filesBelow(prefix).filter((f) => f.endsWith('.gcda'))) {
    const notes = file.slice(prefix.length).replace(/\.gcda$/, '.gcno');
    if (!existsSync(notes)) continue;
    copyFileSync(notes, file.replace(/\.gcda$/, '.gcno'));
    const out = execFileSync('gcov', ['--json-format', '--stdout', path.basename(file)], { cwd: path.dirname(file), maxBuffer: 1 << 28 });
    for (const f of JSON.parse(out).files) {
      if (f.file.startsWith('/usr/')) continue;
      for (const fn of f.functions) functions.set(fn.name, Math.max(functions.get(fn.name) ?? 0, fn.execution_count));
      const text = readFileSync(f.file, 'utf8').split('\n');
      for (const l of f.lines) lines.push({ file: f.file, count: l.count, text: text[l.line_number - 1] ?? '' });
    }
  }
  return { functions, lines };
}
