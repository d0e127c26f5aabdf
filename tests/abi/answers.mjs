// answers.mjs VERSION: writes tests/abi/VERSION/answers.json: what the kept modules answer to questions.mjs. TAUT names the
// server; its build has made lib/abi-VERSION.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { moduleDir, modulesYaml } from '../e2e/lib/modules.mjs';
import { newDir, Server, writeFile } from '../e2e/lib/server.mjs';
import { questions } from './questions.mjs';
import { replay } from './replay.mjs';

const version = process.argv[2];
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const env = { TAUT_MODULE_DIR: moduleDir(`abi-${version}/`) };
const server = await Server.start({ env, args: ['-c', writeFile(newDir(), 'taut.yaml', modulesYaml('kitchen', 'sample'))] });
const answers = await replay(server, questions);
await server.stop();
const lines = answers.map((a) => `  ${JSON.stringify(a)}`).join(',\n');
writeFileSync(path.join(here, version, 'answers.json'), `[\n${lines}\n]\n`);
process.exit(0);
