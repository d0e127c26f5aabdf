// One module's part of docs/reference.md: JSON of `taut module info` in, Markdown out.
let text = '';
for await (const chunk of process.stdin) text += chunk;
const m = JSON.parse(text);
const cell = (v) => String(v ?? '').replaceAll('|', '\\|');
function table(title, rows, columns) {
  if (!rows.length) return;
  console.log(`\n### ${title}\n\n| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|`);
  for (const row of rows) console.log(`| ${columns.map((c) => (c === 'name' ? `\`${cell(row[c])}\`` : cell(row[c]))).join(' | ')} |`);
}
console.log(`\n## ${m.name}\n\n${m.summary}. Provides ${m.provides.join(', ') || 'nothing'}; needs ${m.needs.join(', ') || 'nothing'}.`);
table('Methods', m.methods, ['name', 'arguments', 'scopes', 'rate']);
table('Commands', m.commands, ['name', 'arguments', 'help']);
if (m.metrics.length) console.log(`\nMetrics: ${m.metrics.map((x) => `\`${x.name}\``).join(', ')}; see [metrics.md](metrics.md).`);
