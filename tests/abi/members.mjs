// members OLD.abi NEW.abi: holds what abidiff's suppressions are too wide for. Of every struct that the old one has the
// members must be there still, each of the same name, place and type; and what may not grow has the size that it had.
// What may grow: a struct that begins with `uint32_t size`, and those of elements.txt, which lie in a taut_array.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const attribute = (tag, name) => new RegExp(`(?:^|\\s)${name}='([^']*)'`).exec(tag)?.[1];

// The XML of abidw, as far as it is needed: { kind, tag, children } by id.
function read(file) {
  const types = new Map();
  const stack = [];
  for (const [, closes, kind, rest, empty] of readFileSync(file, 'utf8').matchAll(/<(\/?)([a-z-]+)([^>]*?)(\/?)>/g)) {
    if (closes) {
      stack.pop();
      continue;
    }
    const node = { kind, tag: rest, children: [] };
    stack.at(-1)?.children.push(node);
    const id = attribute(rest, 'id');
    if (id && !(types.has(id) && attribute(rest, 'is-declaration-only'))) types.set(id, node);
    if (!empty) stack.push(node);
  }
  return types;
}

// A type as text: structs and unions by name where they have one, everything else by what it is made of.
function text(types, id, depth = 0) {
  const t = types.get(id);
  if (!t || depth > 20) return id ?? '';
  const of = (node, name = 'type-id') => text(types, attribute(node.tag, name), depth + 1);
  const name = attribute(t.tag, 'name');
  switch (t.kind) {
    case 'type-decl': return name;
    case 'typedef-decl': return of(t);
    case 'pointer-type-def': return `${of(t)}*`;
    case 'qualified-type-def': return `${of(t)} const`;
    case 'array-type-def': return `${of(t)}[${t.children.map((c) => attribute(c.tag, 'length')).join('][')}]`;
    case 'function-type': {
      const result = t.children.find((c) => c.kind === 'return');
      return `${of(result)}(${t.children.filter((c) => c.kind === 'parameter').map((p) => of(p)).join(', ')})`;
    }
    case 'class-decl':
    case 'union-decl': {
      if (!attribute(t.tag, 'is-anonymous')) return `struct ${name}`;
      return `{${members(types, t).map((m) => `${m.name}@${m.at} ${m.type}`).join('; ')}}`;
    }
    default: return `${t.kind} ${name}`;
  }
}

function members(types, struct) {
  return struct.children.filter((c) => c.kind === 'data-member').map((c) => {
    const v = c.children.find((x) => x.kind === 'var-decl');
    return { name: attribute(v.tag, 'name'), at: attribute(c.tag, 'layout-offset-in-bits') ?? '0', type: text(types, attribute(v.tag, 'type-id')) };
  });
}

function structs(types) {
  const found = new Map();
  for (const t of types.values())
    if (t.kind === 'class-decl' && !attribute(t.tag, 'is-declaration-only') && !attribute(t.tag, 'is-anonymous')) found.set(attribute(t.tag, 'name'), t);
  return found;
}

const [oldFile, newFile] = process.argv.slice(2);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const elements = new Set(readFileSync(path.join(here, 'elements.txt'), 'utf8').split('\n').filter((l) => l && !l.startsWith('#')));
const before = read(oldFile);
const now = read(newFile);
const known = structs(now);
const faults = [];
for (const [name, struct] of structs(before)) {
  const had = members(before, struct);
  const other = known.get(name);
  if (!other) {
    faults.push(`struct ${name} is gone`);
    continue;
  }
  const has = members(now, other);
  for (const [i, m] of had.entries()) {
    const n = has[i];
    if (!n || n.name !== m.name) {
      faults.push(`struct ${name}: in the place of member ${m.name} is ${n?.name ?? 'nothing'}`);
      break; // what follows has moved with it
    }
    if (n.at !== m.at) faults.push(`struct ${name}: member ${m.name} has moved from bit ${m.at} to ${n.at}`);
    else if (n.type !== m.type) faults.push(`struct ${name}: member ${m.name} was ${m.type}, and is ${n.type}`);
  }
  const mayGrow = elements.has(name) || (had[0]?.name === 'size' && had[0].type === 'unsigned int');
  const [a, b] = [struct, other].map((s) => Number(attribute(s.tag, 'size-in-bits')));
  if (mayGrow ? b < a : b !== a) faults.push(`struct ${name}, which ${mayGrow ? 'grows only' : 'never grows'}, had ${a / 8} bytes, and has ${b / 8}`);
}
if (structs(before).size < 60) faults.push(`only ${structs(before).size} structs were read from ${oldFile}`);
for (const f of faults) console.log(f);
process.exit(faults.length ? 1 : 0);
