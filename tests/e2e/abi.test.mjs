// Modules of every release of the ABI, built against the headers of that release (tests/abi/1.x), in the server of today.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { replay } from '../abi/replay.mjs';
import { LIB, moduleDir, modulesYaml } from './lib/modules.mjs';
import { newDir, Server, taut, writeFile } from './lib/server.mjs';

const ABI = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../abi');
const releases = readdirSync(ABI).filter((d) => /^\d+\.\d+$/.test(d));

test('the first release of the ABI is kept', () => assert.ok(releases.includes('1.0')));

for (const release of releases)
  describe(`modules built with the headers of ABI ${release}`, { timeout: 120_000 }, () => {
    test('are loaded, run, and answer what they answered then', async () => {
      const kept = JSON.parse(readFileSync(path.join(ABI, release, 'answers.json'), 'utf8'));
      assert.ok(kept.length >= 40 && kept.every((q) => q.answer !== null));
      const env = { TAUT_MODULE_DIR: moduleDir(`abi-${release}/`) };
      const server = await Server.start({ env, args: ['-c', writeFile(newDir(), 'taut.yaml', modulesYaml('kitchen', 'sample'))] });
      const answers = await replay(server, kept);
      for (const [i, then] of kept.entries()) assert.deepEqual(answers[i], then);
      await server.stop();
    });

    test('say of themselves what they said then', async () => {
      const info = (await taut(['module', 'info', path.join(LIB, `abi-${release}/kitchen.so`), '--json'])).json;
      assert.equal(info.name, 'kitchen');
      assert.ok(info.methods.length >= 28 && info.hooks.length >= 10 && info.metrics.length === 3, JSON.stringify(info));
    });
  });
