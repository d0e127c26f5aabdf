// One run: a load on one data directory, in one workspace or in several, while the server is killed, stopped and paused
// round by round and the network is bad; then the verdict.
import path from 'node:path';

import { check } from '../checker.mjs';
import { Load } from '../client.mjs';
import { configuration } from './configuration.mjs';
import { History, now_us } from './history.mjs';
import { Proxy, rough } from './proxy.mjs';
import { new_seed, Random } from './random.mjs';
import { is_sanitized, watch_memory } from './rss.mjs';
import { free_port, new_dir, Server } from './server.mjs';
import { sleep } from './text.mjs';
import { log_records } from './tools.mjs';
import { demo_workspace, new_workspace } from './workspaces.mjs';

const POINT_TIMEOUT_MS = 15_000;
const BOUND_KIB = 400 * 1024; // whatever the load: more than a server that leaks nothing ever had

// rounds: see `one_round`
// env: of every server but the first, which makes the workspaces; the first round therefore begins without it
// settings: options of the section `server`, by name
// first_dies_at: a named point at which the very first start is killed, in a directory that was empty
// Gives {found, counts, dir, files, proxied}; the caller removes dir.
export async function crash_run({ rounds, seed = new_seed(), env = {}, bin, sizes, settings = {}, workspaces = 1, network = true, first_dies_at, on_round = () => {} }) {
  const dir = new_dir('crash');
  const data = path.join(dir, 'data');
  const random = new Random(seed);
  const port = await free_port();
  const server = new Server({ dir: data, port, ...(bin ? { bin } : {}) });
  if (Object.keys(settings).length) server.options.args.push('--config', configuration(server, path.join(dir, 'taut.yaml'), settings));
  const run = { server, loads: [], histories: [], env, stop_watching: () => {} };
  try {
    if (first_dies_at) await die_at_start(server, first_dies_at);
    await begin(run, { random, sizes, workspaces, network, dir });
    for (const [i, round] of rounds.entries()) {
      const at = rounds[i + 1]?.at;
      await one_round(run, round, { ...env, ...(at ? { TAUT_CRASH_AT: at } : {}) });
      on_round(i, round);
    }
    await finish(run);
    for (const [i, load] of run.loads.entries()) for (const r of log_records(data, load.info.team.id)) run.histories[i].add('log', r);
    run.histories.forEach((h) => h.close());
    const files = run.histories.map((h) => h.path);
    return { found: files.flatMap((f) => check(f)), counts: sum(run.histories), dir, files, proxied: run.proxy?.counts ?? {} };
  } catch (e) {
    e.message += `\nthe history so far: ${run.histories.map((h) => h.path).join(', ')}`;
    throw e;
  } finally {
    run.stop_watching();
    run.histories.forEach((h) => h.close());
    run.proxy?.close();
    await server.kill();
  }
}

async function begin(run, { random, sizes, workspaces, network, dir }) {
  const info = await run.server.start();
  const infos = [demo_workspace(info)];
  for (let i = 1; i < workspaces; i++) infos.push(await new_workspace(run.server, info.url, `W${i}`));
  if (network) run.proxy = await Proxy.start(await free_port([run.server.options.port]), run.server.options.port, rough(random));
  for (const [i, each] of infos.entries()) {
    const history = new History(path.join(dir, `history.${i}.jsonl`));
    const load = new Load(each, history, random, { ...sizes, ...(run.proxy ? { rough_url: `http://127.0.0.1:${run.proxy.port}` } : {}) });
    run.histories.push(history);
    run.loads.push(load);
    await load.setup();
    if (run.proxy) history.add('fault', { what: 'network', t: now_us() });
  }
  if (!is_sanitized(run.server.pid())) run.histories[0].add('bound', { kib: BOUND_KIB });
  run.stop_watching = watch_memory(run.server, run.histories[0]);
  run.loads.forEach((load) => load.start());
}

async function finish(run) {
  if (run.proxy) {
    run.proxy.calm();
    run.histories.forEach((h) => h.add('heal', { t: now_us() }));
  }
  await Promise.all(run.loads.map((load) => load.finish()));
  run.stop_watching();
  await run.server.stop();
}

function sum(histories) {
  const counts = {};
  for (const h of histories) for (const [e, n] of Object.entries(h.counts)) counts[e] = (counts[e] ?? 0) + n;
  return counts;
}

const down = (run, what) => run.loads.forEach((load) => load.down(what));

// {after_ms}                kill -9 then
// {after_ms, pause_ms}      SIGSTOP then, SIGCONT so much later
// {after_ms, stop: true}    SIGTERM then: the server ends in good order
// {after_ms, opening: NAME} kill -9 then, and once more at that named point of the next start
// {at: NAME:N}              the server kills itself at the N-th pass of that named point
// next_env: of the server of the next round. A named point is given to the process that is to reach it when it starts.
async function one_round(run, round, next_env) {
  const { server } = run;
  if (round.at) {
    if (!(await ends_within(server, POINT_TIMEOUT_MS))) throw new Error(`the server did not reach ${round.at} in ${POINT_TIMEOUT_MS} ms`);
    down(run, round.at);
  } else {
    if (await ends_within(server, round.after_ms)) throw new Error(`the server ended by itself\n${server.log}`);
    down(run, round.pause_ms ? 'pause' : round.stop ? 'stop' : 'kill');
    if (round.pause_ms) return pause(run, round.pause_ms);
    if (round.stop) await server.stop();
    else await server.kill('SIGKILL');
  }
  if (round.opening) await die_at_start(server, round.opening);
  await server.start(next_env);
  run.loads.forEach((load) => load.up());
}

// Nothing is shut while the server is paused: who calls it, waits. A named point of the round to come has to be given
// at a start, so a pause must not come before one.
async function pause(run, ms) {
  process.kill(run.server.pid(), 'SIGSTOP');
  run.loads.forEach((load) => load.gate.open());
  await sleep(ms);
  process.kill(run.server.pid(), 'SIGCONT');
  run.histories.forEach((h) => h.add('heal', { t: now_us() }));
}

async function die_at_start(server, point) {
  const outcome = await server.start({ TAUT_CRASH_AT: point }).then(() => 'ready', () => 'ended');
  const { signal } = outcome === 'ready' ? {} : await server.exited;
  if (signal !== 'SIGKILL') throw new Error(`the server did not reach ${point} while it opened its store\n${server.log}`);
}

function ends_within(server, ms) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, false)));
  return Promise.race([server.exited.then(() => true), late]).finally(() => clearTimeout(timer));
}
