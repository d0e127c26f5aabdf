// The server keeps within its memory while clients do not read.
import { rmSync } from 'node:fs';

import { describe } from './checker.mjs';
import { records_of } from './lib/history.mjs';
import { stalled_run } from './lib/stalled_run.mjs';
import { finish, note, ok, test } from './lib/tap.mjs';

await test('two dozen clients do not read while 86 MiB are posted', async () => {
  const run = await stalled_run();
  const [bound] = records_of(run.files[0]);
  const most = Math.max(...[...records_of(run.files[0])].filter((r) => r.e === 'rss').map((r) => r.kib));
  note(`${bound.before_kib} KiB before, ${most} KiB at most, ${bound.kib} KiB allowed`);
  ok(run.found.length === 0, 'MEMORY: the server kept within its memory while clients did not read', describe(run.found));
  rmSync(run.dir, { recursive: true, force: true });
});
finish();
