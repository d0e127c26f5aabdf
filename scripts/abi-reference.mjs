// The second half of docs/abi.md: what include/taut says of itself, header by header, symbol by symbol.
// usage: abi-reference.mjs PREFACE > docs/abi.md    keeps PREFACE up to its mark, and writes the rest anew
//        abi-reference.mjs --lint                   TAP: does every header and every function say what it must?
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const top = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const MARK = '<!-- generated from here on: scripts/abi-reference.mjs -->';
const ORDER = ['abi', 'types', 'module', 'option', 'host', 'call', 'json', 'method', 'table', 'event', 'hook', 'op', 'loop', 'service', 'route', 'conn', 'command', 'msg', 'page'];

// ---- headers into items ----

// A comment without its frame; lines that are indented further than its text stay as they are (code).
function textOf(comment) {
  return comment.replace(/^\/\*+ ?/, '').replace(/\s*\*+\/$/, '').split('\n').map((l, i) => (i ? l.replace(/^ \*(?: |$)/, '') : l)).join('\n');
}

// Pieces at file level: comments, and code from one blank line, comment or end of a block to the next.
function pieces(source) {
  const found = [];
  const lines = source.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (!line.trim()) {
      found.push({ kind: 'gap' });
    } else if (line.startsWith('/*')) {
      const from = i;
      while (!lines[i].includes('*/')) i++;
      found.push({ kind: 'comment', text: textOf(lines.slice(from, i + 1).join('\n')) });
    } else {
      const from = i;
      if (line.startsWith('#')) {
        while (lines[i].endsWith('\\')) i++;
      } else {
        let depth = 0;
        for (; ; i++) {
          const bare = lines[i].replace(/\/\*.*?\*\//g, '').replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '');
          depth += (bare.match(/[{(]/g) ?? []).length - (bare.match(/[})]/g) ?? []).length;
          if (depth <= 0 && /[;}]\s*(\/\*.*)?$/.test(lines[i].replace(/\s*\/\*.*\*\/\s*$/, ''))) break;
        }
        while (lines[i].includes('/*') && !lines[i].includes('*/')) i++; // a comment that goes on behind it
      }
      found.push({ kind: 'code', text: lines.slice(from, i + 1).join('\n') });
    }
  }
  return found;
}

const squeezed = (text) => text.replace(/\s+/g, ' ').trim();

function symbolOf(code) {
  let m;
  if ((m = /^#\s*define (TAUT_\w+)(\([^)]*\))?/.exec(code))) return /_H$/.test(m[1]) ? null : { kind: 'macro', name: m[1], signature: macro(code, m) };
  if (code.startsWith('#')) return null;
  if ((m = /^(?:typedef )?struct (taut_\w+)\s*\{/.exec(code))) return { kind: 'struct', name: m[1], signature: code };
  if (/^struct taut_\w+;/.test(code)) return { kind: 'opaque', name: /taut_\w+/.exec(code)[0], signature: code };
  if ((m = /^enum(?: \w+)? \{/.exec(code))) return { kind: 'constants', name: (code.match(/TAUT_\w+/) ?? [''])[0], signature: code };
  if ((m = /^typedef .*?\(\*(taut_\w+)\)\(/s.exec(code))) return { kind: 'type', name: m[1], signature: squeezed(code) };
  if ((m = /^typedef .*?\b(taut_\w+);/.exec(code))) return { kind: 'type', name: m[1], signature: code };
  if ((m = /^(?:TAUT_PRINTF\([^)]*\)\s*)?static inline ([^{]*?\b(taut_\w+)\([^{]*\)) \{/s.exec(code))) return { kind: 'function', name: m[2], signature: `${squeezed(m[1])};`, body: code };
  if ((m = /^TAUT_UNUSED static const struct \w+ (taut_\w+)/.exec(code))) return { kind: 'table', name: m[1], signature: `const ${/struct \w+/.exec(code)[0]} ${m[1]};` };
  return null;
}
// A macro's first line; of short ones that stand for a value, all of it.
function macro(code, [, name, parameters]) {
  const value = squeezed(code.replace(/\\\n/g, ' ')).slice(`#define ${name}`.length);
  return parameters ? `${name}${parameters}` : `${name}${value}`;
}

// { header, intro, items: [{ section } | { doc, symbols }] }
function read(header) {
  const all = pieces(readFileSync(path.join(top, 'include/taut', header), 'utf8'));
  const items = [];
  let intro = null;
  let doc = null; // the comment that what follows belongs to
  for (const p of all) {
    if (p.kind === 'gap') {
      doc = doc?.symbols.length ? null : doc;
    } else if (p.kind === 'comment') {
      const section = /^---- ([\s\S]*?) ?-{4}/.exec(p.text);
      if (intro === null) intro = p.text;
      else if (section) items.push({ section: squeezed(section[1]), text: p.text.slice(section[0].length).trim() });
      else items.push((doc = { doc: p.text, symbols: [] }));
      if (section) doc = null;
    } else {
      const symbol = symbolOf(p.text);
      if (!symbol) continue;
      if (!doc) items.push((doc = { doc: '', symbols: [] }));
      if (!doc.symbols.some((s) => s.name === symbol.name)) doc.symbols.push(symbol); // the other branch of an #if
    }
  }
  return { header, intro: intro ?? '', items };
}

function headers() {
  const svc = readdirSync(path.join(top, 'include/taut/svc')).filter((f) => f.endsWith('.h')).sort().map((f) => `svc/${f}`);
  const found = readdirSync(path.join(top, 'include/taut')).filter((f) => f.endsWith('.h') && f !== 'taut.h').map((f) => f.slice(0, -2));
  const others = found.filter((f) => !ORDER.includes(f)).sort();
  return [...[...ORDER.filter((f) => found.includes(f)), ...others].map((f) => `${f}.h`), ...svc].map(read);
}

const isDown = (s) => /_down(_|$)/.test(s.name);

// ---- text into Markdown ----

function prose(text) {
  const out = [];
  let code = false;
  for (const line of text.split('\n')) {
    const indented = /^ {2,}\S/.test(line);
    if (indented && !code) out.push('', '```c');
    if (!indented && line.trim() && code) out.push('```', '');
    if (indented) code = true;
    else if (line.trim()) code = false;
    out.push(code ? line.replace(/^ {2,4}/, '') : line.replace(/(^|[^`\w])([<>])/g, '$1\\$2'));
  }
  if (code) out.push('```');
  return out.join('\n').replace(/\n{3,}/g, '\n\n').replace(/\n+```\n/g, (m) => (m.startsWith('\n\n```') ? m : m)).trim();
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const threadOf = (doc, header) =>
  /\bany\s+thread\b/i.test(doc) ? 'any' : /\bany thread\b/i.test(header.intro) && !/Thread: the hub|Thread: hub/.test(header.intro) ? 'any' : 'hub';
const sinceOf = (doc, header) => /Since (\d+\.\d+)/.exec(doc)?.[1] ?? /Since (\d+\.\d+)/.exec(header.intro)?.[1] ?? '';

function render(header) {
  const out = [`## taut/${header.header}`, '', prose(capital(header.intro.replace(/^[\w/]+\.h - /, ''))), ''];
  for (const item of header.items) {
    if (item.section) {
      out.push(`### ${capital(item.section)}`, '');
      if (item.text) out.push(prose(item.text), '');
      continue;
    }
    const symbols = item.symbols.filter((s) => !isDown(s) || s.kind === 'table');
    if (!symbols.length) continue;
    out.push(`#### ${symbols.map((s) => `\`${s.name}\`${s.kind === 'constants' ? ' …' : ''}`).join(', ')}`, '', '```c', ...symbols.map((s) => s.signature), '```', '');
    if (item.doc) out.push(prose(item.doc), '');
    if (symbols.some((s) => s.kind === 'function')) out.push(`Thread: ${threadOf(item.doc, header)}. Since ${sinceOf(item.doc, header)}.`, '');
  }
  return out.join('\n');
}

function reference() {
  const all = headers();
  const rows = all.map((h) => {
    const names = h.items.flatMap((i) => i.symbols ?? []).filter((s) => !isDown(s));
    const title = squeezed(h.intro.replace(/^[\w/]+\.h - /, '').split('\n\n')[0]).split(/(?<=[.;])\s/)[0].replace(/[.:;]$/, '');
    return `| [taut/${h.header}](#taut${h.header.replace(/[/.]/g, '')}) | ${title} | ${names.length} |`;
  });
  return ['# Reference', '', '| header | what | symbols |', '|---|---|---|', ...rows, '', ...all.map(render)].join('\n').replace(/\n{3,}/g, '\n\n');
}

// ---- lint ----

const SAYS_ERRORS = /TAUT_E_|TAUT_OK|Fails with|Errors as|[Aa]nswers an error|never fails|To be returned|lets the socket in|closes it/;

function lint() {
  const faults = [];
  for (const h of headers()) {
    if (!/[Tt]hread/.test(h.intro)) faults.push(`taut/${h.header}: its first comment does not say on which thread`);
    if (!/Since \d+\.\d+/.test(h.intro)) faults.push(`taut/${h.header}: its first comment does not say since when`);
    for (const item of h.items)
      for (const s of item.symbols ?? []) {
        if (isDown(s)) continue;
        if (s.kind === 'function' && !item.doc) faults.push(`taut/${h.header}: ${s.name}() has no comment`);
        if (s.kind === 'function' && /^int32_t /.test(s.signature) && !SAYS_ERRORS.test(item.doc)) faults.push(`taut/${h.header}: ${s.name}() does not say which errors it gives`);
        const hands = /^(const )?(void|struct \w+) \*/.test(s.signature);
        if (s.kind === 'function' && hands && !/[Ll]ives|[Ll]ive\b|[Vv]alid|NULL|belongs|empty|buffer|until/.test(`${item.doc} ${h.intro}`)) faults.push(`taut/${h.header}: ${s.name}() does not say whose its result is`);
        if (s.kind === 'struct' && !item.doc && !/\/\*/.test(s.signature)) faults.push(`taut/${h.header}: struct ${s.name} has no comment`);
      }
  }
  faults.forEach((f, i) => console.log(`not ok ${i + 1} - ${f}`));
  if (!faults.length) console.log('ok 1 - every public header and function says its thread, owner, errors and version');
  return faults.length ? 1 : 0;
}

if (process.argv[2] === '--lint') process.exit(lint());
const preface = readFileSync(process.argv[2], 'utf8').split(MARK)[0];
console.log(`${preface}${MARK}\n\n${reference()}`.trimEnd());
