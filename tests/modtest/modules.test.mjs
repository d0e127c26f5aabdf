// The project's own modules, and one with a step of every kind, under taut-modtest.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';

import { build, folder, module, run, scripts } from './program.mjs';

after(() => rmSync(folder, { recursive: true }));

describe('these modules pass, whatever allocation fails:', () => {
  const passes = (...args) => {
    const r = run(...args);
    assert.equal(r.code, 0, r.out + r.err);
    assert.match(r.out, /, 0 failed\n$/);
  };
  test('guests, with a step of every kind', () => passes(module('guests'), `${scripts}/guests.yaml`));
  for (const name of ['conversation', 'directory', 'rtm'])
    test(name, () => passes(`${build}/lib/taut/${name}.so`, `${scripts}/${name}.yaml`));
  test('the kitchen sink', () => passes(`${build}/lib/testmods/kitchen.so`, `${scripts}/kitchen.yaml`));
  test('demo', () => passes('--with', 'directory', '--with', 'conversation', `${build}/lib/taut/demo.so`));
});
