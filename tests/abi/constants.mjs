// constants.mjs INCLUDE: prints a C program that prints a C program: the second one holds the value that every public
// constant and every public text has today. release.sh keeps it; gate.sh runs it against the headers of later days.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const include = process.argv[2];
const names = { numbers: [], texts: [] };
const headers = ['', 'svc/'].flatMap((d) => readdirSync(path.join(include, 'taut', d)).filter((f) => f.endsWith('.h')).map((f) => `taut/${d}${f}`)).sort();
for (const header of headers) {
  const code = readFileSync(path.join(include, header), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  for (const [, body] of code.matchAll(/\benum(?: \w+)? \{([^}]*)\}/g))
    for (const item of body.split(',')) {
      const name = /^\s*(TAUT_\w+)/.exec(item)?.[1];
      if (name) names.numbers.push(name);
    }
  for (const [, name] of code.matchAll(/^#define (TAUT_\w+) "/gm)) names.texts.push(name);
}
const includes = headers.map((h) => `#include "${h}"`).join('\n');
console.log(`#include <stdio.h>\n${includes}\nint main(void) {`);
console.log(`puts("/* What public constants and texts are, kept by tests/abi/release.sh. Prints those that have changed. */");`);
console.log(`puts("#include <stdio.h>\\n");`);
for (const h of headers) console.log(`puts("#include \\"${h}\\"");`);
console.log(`puts("\\n#define SAME(name, value) (name == value ? 0 : (puts(#name \\" is no longer \\" #value), 1))");`);
console.log(`puts("#define TEXT(name, text) (strcmp(name, text) == 0 ? 0 : (puts(#name \\" is no longer \\" #text), 1))");`);
console.log(`puts("\\nint main(void) {\\n    int changed = 0;");`);
for (const n of names.numbers) console.log(`printf("    changed += SAME(${n}, %lld);\\n", (long long)${n});`);
for (const n of names.texts) console.log(`printf("    changed += TEXT(${n}, \\"%s\\");\\n", ${n});`);
console.log(`puts("    return changed ? 1 : 0;\\n}");\nreturn 0;\n}`);
