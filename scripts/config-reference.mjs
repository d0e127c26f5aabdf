// docs/config.md: its hand-written head, then every option. usage: config-reference.mjs HEAD-FILE MODULE… <EXPLAIN.json
// EXPLAIN.json is what `taut config explain --json` prints; what comes behind the marker in HEAD-FILE is written anew.
import { readFileSync } from 'node:fs';

const MARKER = '<!-- Written by scripts/reference from the option tables: do not edit what follows. -->';
const [head, ...modules] = process.argv.slice(2);
const written = readFileSync(head, 'utf8').split(MARKER)[0].trimEnd();
let text = '';
for await (const chunk of process.stdin) text += chunk;
const { options } = JSON.parse(text);

const cell = (v) => String(v ?? '').replaceAll('|', '\\|').replaceAll('<', '&lt;');

function kind({ type, range, unit }) {
  const scaled = type === 'duration' || type === 'bytes';
  return [type, range, scaled ? '' : unit].filter(Boolean).join(', ');
}

// What each item of `modules:` has of the server's own is shown once, not with every module.
const isOfEvery = (o) => /^modules\.[a-z0-9_]+\.(enabled$|memory\.)/.test(o.name);

function table(title, prefix, wanted = (o) => !isOfEvery(o)) {
  const rows = options.filter((o) => o.name.startsWith(prefix) && wanted(o));
  if (!rows.length) return `\n### ${title}\n\nHas no options.`;
  const lines = rows.map((o) => {
    const value = o.required ? '**required**' : o.default ? `\`${cell(o.default)}\`` : '';
    return `| \`${o.name.slice(prefix.length)}\` | ${cell(kind(o))} | ${value} | ${o.live ? 'live' : ''} | ${cell(o.help)} |`;
  });
  return `\n### ${title}\n\n| option | type | default | reload | |\n|---|---|---|---|---|\n${lines.join('\n')}`;
}

console.log(`${written}\n\n${MARKER}\n\n## All options\n\n"live": a reload applies it. What is required has no default.`);
console.log(table('server:', 'server.'));
console.log(table('admin:', 'admin.'));
console.log(table('modules: each of them', `modules.${modules[0]}.`, isOfEvery));
for (const m of modules) console.log(table(`modules: ${m}`, `modules.${m}.`));
