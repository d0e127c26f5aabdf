// One run: a load on one data directory, the server killed and started again round by round, then the verdict.
import path from 'node:path';

import { check } from '../checker.mjs';
import { History, Load } from '../client.mjs';
import { free_port, new_dir, Server } from './server.mjs';
import { log_records } from './tools.mjs';

const POINT_TIMEOUT_MS = 15_000;

// rounds: of {after_ms} (kill -9 then) and {at} (the server kills itself at that named point).
// env: of every server but the first, which makes the workspace. The first round therefore begins without it.
// Gives {found, records, dir, file}; the caller removes dir.
export async function crash_run({ rounds, env = {}, bin, sizes, on_round = () => {} }) {
  const dir = new_dir('crash');
  const data = path.join(dir, 'data');
  const server = new Server({ dir: data, port: await free_port(), ...(bin ? { bin } : {}) });
  const history = new History(path.join(dir, 'history.jsonl'));
  try {
    const info = await server.start();
    const load = new Load(info, history, sizes);
    await load.setup();
    load.start();
    for (const [i, round] of rounds.entries()) {
      const at = rounds[i + 1]?.at;
      await one_round(server, load, round, { ...env, ...(at ? { TAUT_CRASH_AT: at } : {}) });
      on_round(i, round);
    }
    await load.finish();
    await server.stop();
    for (const r of log_records(data, info.team.id)) history.add('log', strip(r));
    await history.close();
    return { found: check(history.records), records: history.records, dir, file: history.path };
  } catch (e) {
    e.message += `\nthe history so far: ${history.path}`;
    throw e;
  } finally {
    await server.kill();
  }
}

const strip = ({ e, ...fields }) => fields;

// next_env: of the server of the next round. A named point is given to the process that is to reach it when it starts.
async function one_round(server, load, round, next_env) {
  if (round.at) {
    if (!(await ends_within(server, POINT_TIMEOUT_MS))) throw new Error(`the server did not reach ${round.at} in ${POINT_TIMEOUT_MS} ms`);
    load.down();
  } else {
    if (await ends_within(server, round.after_ms)) throw new Error(`the server ended by itself\n${server.log}`);
    load.down();
    await server.kill('SIGKILL');
  }
  await server.start(next_env);
  load.up();
}

function ends_within(server, ms) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, false)));
  return Promise.race([server.exited.then(() => true), late]).finally(() => clearTimeout(timer));
}
