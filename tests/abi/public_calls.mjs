// What include/taut offers to be called: read from the headers, so that nothing new escapes.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const bare = (code) => code.replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, ' '));

// { name, header } of each; kinds: wrapper (static inline function), member (function of a struct of tables), macro.
export function publicCalls(include) {
  const headers = ['', 'svc/'].flatMap((dir) =>
    readdirSync(path.join(include, 'taut', dir)).filter((f) => f.endsWith('.h')).map((f) => `taut/${dir}${f}`));
  const found = { wrappers: [], members: [], macros: [] };
  for (const header of headers) {
    const code = bare(readFileSync(path.join(include, header), 'utf8'));
    for (const m of code.matchAll(/^(?:TAUT_PRINTF\([^)]*\)\s*)?static inline [^;{]*?\b(taut_\w+)\(/gm)) found.wrappers.push({ name: m[1], header });
    for (const s of code.matchAll(/^struct (taut_host|taut_route_host|taut_\w+_v1) \{([\s\S]*?)^\};/gm))
      for (const m of s[2].matchAll(/\(\*(\w+)\)\(/g))
        if (!/^(fn|work)$/.test(m[1]) || /^\s*\S+ \(\*work\)\(struct taut_mod/m.test(s[2])) found.members.push({ name: m[1], table: s[1], header });
    for (const m of code.matchAll(/^#define (TAUT_\w+)(\(?)/gm)) if (!/_H$/.test(m[1])) found.macros.push({ name: m[1], header });
  }
  found.members = found.members.filter((m, i) => found.members.findIndex((o) => o.name === m.name && o.table === m.table) === i && m.name !== 'fn');
  return found;
}

if (process.argv[1]?.endsWith('public_calls.mjs')) {
  const { wrappers, members, macros } = publicCalls(process.argv[2] ?? 'include');
  for (const w of wrappers) console.log(`function ${w.name} ${w.header}`);
  for (const m of members) console.log(`member ${m.table}.${m.name} ${m.header}`);
  for (const m of macros) console.log(`macro ${m.name} ${m.header}`);
}
