// Reads what `gcov --json-format --stdout` says of the core's objects (one JSON text a line), prints a table of the
// core's folders and the line "coverage: NN.N % of lines of core", and writes which lines were not run.
// A line is run when it was run in any object: a header's inline functions are in many.
//
// usage: gcov … | node table.mjs TOP LEAST UNCOVERED_FILE
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [top, least, uncoveredFile] = process.argv.slice(2);
const core = path.join(path.resolve(top), 'core');
const files = new Map(); // path below core → Map(line → times run)

for await (const text of createInterface({ input: process.stdin })) {
  const report = JSON.parse(text);
  for (const { file, lines } of report.files) {
    const name = path.relative(core, path.resolve(report.current_working_directory, file));
    if (name.startsWith('..')) continue;
    if (!files.has(name)) files.set(name, new Map());
    const seen = files.get(name);
    for (const l of lines) seen.set(l.line_number, (seen.get(l.line_number) ?? 0) + l.count);
  }
}

// "3-5 9": the lines that were not run; lines between them that hold no code do not end a range.
function ranges(lines) {
  const out = [];
  let from = 0;
  let last = 0;
  for (const [line, times] of [...lines].sort((a, b) => a[0] - b[0])) {
    if (times === 0) {
      from ||= line;
      last = line;
      continue;
    }
    if (from) out.push(from === last ? `${from}` : `${from}-${last}`);
    from = 0;
  }
  if (from) out.push(from === last ? `${from}` : `${from}-${last}`);
  return out.join(' ');
}

const folders = new Map();
const uncovered = [];
for (const [name, lines] of [...files].sort()) {
  const folder = path.dirname(name);
  const sum = folders.get(folder) ?? { lines: 0, run: 0 };
  const run = [...lines.values()].filter((times) => times > 0).length;
  folders.set(folder, { lines: sum.lines + lines.size, run: sum.run + run });
  if (run < lines.size) uncovered.push(`core/${name} ${run}/${lines.size}: ${ranges(lines)}\n`);
}
writeFileSync(uncoveredFile, uncovered.join(''));

const percent = (part) => (100 * part.run) / part.lines;
const row = (name, part) => `${name.padEnd(16)} ${String(part.lines).padStart(6)} ${percent(part).toFixed(1).padStart(7)} %`;
console.log('folder            lines      run');
const all = { lines: 0, run: 0 };
for (const [folder, part] of folders) {
  console.log(row(`core/${folder}`, part));
  all.lines += part.lines;
  all.run += part.run;
}
if (!all.lines) {
  console.log('coverage: nothing was measured');
  process.exit(1);
}
console.log(`coverage: ${percent(all).toFixed(1)} % of lines of core`);
if (percent(all) < Number(least)) {
  console.log(`FAILED: less than ${least} %; ${uncoveredFile} names the lines that no test runs`);
  process.exit(1);
}
