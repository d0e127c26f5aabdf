// docs/metrics.md: its hand-written head, then every metric. usage: metrics-reference.mjs HEAD-FILE <INFO.jsonl
// INFO.jsonl is what `taut module info --json` prints, of core first; what comes behind the marker in HEAD-FILE is
// written anew.
import { readFileSync } from 'node:fs';

const MARKER = '<!-- Written by scripts/reference from the tables in the code: do not edit what follows. -->';
const written = readFileSync(process.argv[2], 'utf8').split(MARKER)[0].trimEnd();
let text = '';
for await (const chunk of process.stdin) text += chunk;
const parts = text.trim().split('\n').map((line) => JSON.parse(line));

const cell = (v) => String(v ?? '').replaceAll('|', '\\|').replaceAll('<', '&lt;');
const labels = (m) => m.labels.split(', ').filter(Boolean).map((l) => {
  const [key, values] = l.split('=');
  return `\`${key}\`${values ? `: ${values.split('|').join(', ')}` : ''}`;
}).join('; ');
const row = (m) => `| \`${m.name}\` | ${m.type} | ${cell(labels(m))} | ${m.unit} | ${cell(m.help)} |`;
const table = (metrics) => `| name | type | labels | unit | |\n|---|---|---|---|---|\n${metrics.map(row).join('\n')}`;

// The core's are grouped by what they are about: the first word that fits.
const groups = [
  ['The process', /^(process_|taut_uptime|taut_build|taut_log_)/],
  ['Gateways', /^taut_(gateway_|spool_|tls_)/],
  ['Threads', /^taut_(loop_|mailbox_|work_)/],
  ['Calls', /^taut_(calls?_|hub_|method_|ops|timers)/],
  ['The store, as the hub sees it', /^taut_(commits?_|read_|store_)/],
  ['Memory of the hub', /^taut_(cache_|logs|tail_)/],
  ['Modules', /^taut_(module_|callback_|hook_)/],
];
const [core, ...modules] = parts;
const taken = new Set();
const out = [written, '', MARKER, '', '## The server'];
for (const [title, pattern] of [...groups, ['Others', /./]]) {
  const own = core.metrics.filter((m) => pattern.test(m.name) && !taken.has(m.name));
  own.forEach((m) => taken.add(m.name));
  if (own.length) out.push('', `### ${title}`, '', table(own));
}
const silent = modules.filter((m) => !m.metrics.length).map((m) => m.name);
for (const m of modules.filter((x) => x.metrics.length)) out.push('', `## Module ${m.name}`, '', table(m.metrics));
if (silent.length) out.push('', `${silent.join(', ')} declare none of their own; what the core measures of each module is above.`);
console.log(out.join('\n'));
