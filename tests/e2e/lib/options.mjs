// A configuration file for `taut demo`: the standard one, with more options of `server:`.
import assert from 'node:assert/strict';

import { newDir, taut, writeFile } from './server.mjs';

// lines: YAML, indented by two spaces. Gives the file's path.
export async function withServerOptions(lines, dir = newDir()) {
  const printed = await taut(['demo', '--data', newDir(), '--listen', '127.0.0.1:0', '--print-config']);
  const yaml = printed.out.replace(/^server:\n/m, `server:\n${lines}\n`);
  assert.notEqual(yaml, printed.out, printed.out + printed.err);
  return writeFile(dir, 'taut.yaml', yaml);
}
