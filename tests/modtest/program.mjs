// Runs taut-modtest in a folder of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const build = process.env.BUILD;
export const sanitized = process.env.SANITIZED === '1';
export const scripts = new URL('.', import.meta.url).pathname;
export const folder = mkdtempSync(join(tmpdir(), 'modtest-'));

export const module = (name) => `${build}/lib/modtest/${name}.so`;
export const script = (text) => {
  writeFileSync(join(folder, 'test.yaml'), text);
  return 'test.yaml';
};

// Numbers that differ from build to build are N.
const plain = (text) => text.replace(/\+0x[0-9a-f]+/g, '+N').replace(/pipe:\[\d+\]/g, 'pipe:[N]').replace(/descriptor \d+/g, 'descriptor N');

export const run = (...args) => {
  const r = spawnSync(`${build}/bin/taut-modtest`, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  return { code: r.status, out: plain(r.stdout), err: r.stderr };
};
