// Holds that every text of the loader, of option tables and of the life of modules stands in a test, to the letter but
// for what is filled in. Prints TAP. usage: node tests/lint/loader_texts.mjs
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const top = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const read = (file) => readFileSync(path.join(top, file), 'utf8');
const list = (dir, pattern) => readdirSync(path.join(top, dir)).filter((f) => pattern.test(f)).map((f) => `${dir}/${f}`);

const sources = [...list('core/module', /\.c$/), 'core/config/table.c', 'core/hub/lifecycle.c', 'core/hub/instance.c'];
const tests = [...list('tests/unit', /\.[ch]$/), ...list('tests/e2e', /\.mjs$/), ...list('tests/badmods', /\.def$/)];

// Parts of texts, and texts that nobody can cause.
const exempt = new Map([
  ['unknown reason', 'dlerror gave nothing'],
  ['out of memory', 'panic'],
  ['decimal number', 'the name of a type'],
  ['the first 8 bytes of a module are frozen', 'a static assertion'],
  ['%s%s%s needs \\"%s\\" from %s', 'a part of the text about circles'],
]);

// Literals that stand beside each other are one text; a macro between them is whatever it is.
const literal = /"(?:[^"\\\n]|\\.)*"/;
const group = new RegExp(`${literal.source}(?:\\s*(?:[A-Z_]+\\s*)?${literal.source})*`, 'g');
const joined = (text) => text.match(new RegExp(`${literal.source}|[A-Z_]{3,}`, 'g')).map((t) => (t[0] === '"' ? t.slice(1, -1) : '%s')).join('');

function textsOf(file) {
  const code = read(file)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*#\s*include.*$/gm, '');
  return [...code.matchAll(group)].map((m) => joined(m[0])).filter((t) => t.length > 9 && /[a-z] /.test(t) && /[a-z]{3}/.test(t));
}

const unescape = (s) => s.replace(/\\n/g, '\n').replace(/\\(["'\\/])/g, '$1');
const corpus = tests
  .map((file) => {
    const text = read(file);
    return /\.mjs$/.test(file) ? text : [...text.matchAll(group)].map((m) => joined(m[0])).join('\n');
  })
  .map(unescape)
  .join('\n');

function isTested(text) {
  const parts = unescape(text).split(/%(?:[-+ #0]*\d*(?:\.(?:\d+|\*))?(?:ll|l|z|h)?[a-zA-Z])/);
  const pattern = parts.map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^\\n]{0,160}?');
  return new RegExp(pattern).test(corpus);
}

let n = 0;
let failures = 0;
for (const file of sources)
  for (const text of new Set(textsOf(file))) {
    if (exempt.has(text)) continue;
    const ok = isTested(text);
    if (!ok) failures++;
    console.log(`${ok ? 'ok' : 'not ok'} ${++n} - ${file} says "${text}", and a test holds it`.replace(/#/g, ''));
  }
console.log(`1..${n}`);
process.exit(failures ? 1 : 0);
