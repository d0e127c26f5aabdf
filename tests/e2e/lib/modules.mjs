// Module directories: the server's own modules, and those of tests that are asked for.
import { readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { newDir, TAUT } from './server.mjs';

export const LIB = path.resolve(path.dirname(TAUT), '../lib');

// Links into a new directory. extra: files below lib/ ("testmods/kitchen"), or whole folders of it ("badmods/").
export function moduleDir(...extra) {
  const dir = newDir();
  const link = (file, name = path.basename(file)) => symlinkSync(file, path.join(dir, name));
  const all = (folder) =>
    readdirSync(path.join(LIB, folder))
      .filter((f) => f.endsWith('.so'))
      .forEach((f) => link(path.join(LIB, folder, f)));
  all('taut');
  for (const name of extra) name.endsWith('/') ? all(name) : link(path.join(LIB, `${name}.so`));
  return dir;
}

export const STANDARD = ['store_sqlite', 'directory', 'conversation', 'rtm', 'demo'];

// taut.yaml with the standard modules and these: items of the list, as YAML.
export const modulesYaml = (...items) => `modules:\n${[...STANDARD, ...items].map((i) => `  - ${i}\n`).join('')}`;
