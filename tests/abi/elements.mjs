// elements INCLUDE ELEMENTS: which structs may grow though they do not begin with their size? Those that lie in a
// taut_array ("of struct taut_x"), and no others: they are listed in ELEMENTS. What lies side by side in a plain array (a
// pointer with a count), or is copied by value, says "Frozen" in its comment and is not listed.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const [include, elements] = process.argv.slice(2);
const headers = ['taut', 'taut/svc'].map((d) => path.join(include, d)).flatMap((dir) =>
  readdirSync(dir).filter((f) => f.endsWith('.h')).map((f) => readFileSync(path.join(dir, f), 'utf8')));
const commented = headers.join('\n').replace(/\n \*(?!\/)/g, ' ').replace(/\s+/g, ' ');
const text = commented.replace(/\/\*.*?\*\//g, ' ').replace(/\s+/g, ' ');
const names = (of, pattern) => new Set([...of.matchAll(pattern)].map((m) => m[1]));

const listed = new Set(readFileSync(elements, 'utf8').split('\n').filter((l) => l && !l.startsWith('#')));
const sized = names(text, /struct (taut_\w+) \{ uint32_t size[;,]/g);
const frozen = names(commented, /Frozen\b[^*]*\*\/ (?:typedef )?struct (taut_\w+) \{/g);
const inArrays = names(commented, /\bof (?:const )?struct (taut_\w+)/g);
const plain = names(text, /const struct (taut_\w+) \*{1,2}\w+, uint32_t \*?n\w*/g);
for (const [, body] of text.matchAll(/struct taut_\w+ \{([^{}]*)\}/g)) {
  const counts = names(body.replace(/\([^()]*\)/g, ''), /\b(n\w*)(?=[,;])/g);
  for (const [, type, list] of body.matchAll(/const struct (taut_\w+) \*(\w+);/g))
    if (counts.has('n') || counts.has(`n${list}`)) plain.add(type);
}

const faults = [];
for (const s of inArrays) if (!listed.has(s) && !sized.has(s) && !frozen.has(s)) faults.push(`${s} lies in a taut_array; add it to ${elements}`);
for (const s of plain) if (!frozen.has(s)) faults.push(`${s} lies side by side in a plain array; its comment must say that it is frozen`);
for (const s of frozen) if (listed.has(s)) faults.push(`${s} is frozen; take it out of ${elements}`);
if (plain.size < 8 || inArrays.size < 12) faults.push('the headers were not understood');
for (const f of faults) console.log(f);
process.exit(faults.length ? 1 : 0);
