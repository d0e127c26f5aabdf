// make bench: the server on one core, the load on another, each figure beside the goal that it has to meet. What a
// disk gives changes from minute to minute, so figures are compared with others taken in turn with them, by medians.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { Api } from '../crash/lib/api.mjs';
import { free_port, new_dir, Server, TAUT } from '../crash/lib/server.mjs';
import { compiled } from '../crash/lib/tools.mjs';

const SHORT = process.argv.includes('--short');
const SIZE = SHORT
  ? { rounds: 3, seconds: 1, starts: 3, lone: 100, users: 2000, channels: 20, messages: 20_000, fanouts: 1 }
  : { rounds: 7, seconds: 2.5, starts: 5, lone: 200, users: 100_000, channels: 200, messages: 1_000_000, fanouts: 3 };
const SPREAD = { users: 100, channels: 50, messages: 10_000 }; // all of them in all of these
const SUBSCRIBERS = 1000;
const IN_FLIGHT = 256;
const BATCH = 256;
const IDLE_MS = 2000;
const LOOK_MS = 300;
const CORES = os.cpus().length > 1;
const on_core = (n) => (CORES ? ['taskset', '-c', String(n)] : []);

const dir = new_dir('bench');
const at = (name) => path.join(dir, name);
const tools = {
  post: compiled('bench/bench_post.c'),
  fanout: compiled('bench/bench_fanout.c'),
  sqlite: compiled('bench/bench_sqlite.c', ['sqlite3']),
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const say = (text) => process.stderr.write(`${text}\n`);

const figures = [];
// goal: null, or {text, met: function of the value}
function figure(name, value, unit, goal = null) {
  const met = goal ? goal.met(value) : null;
  figures.push({ name, value, unit, ...(goal ? { goal: goal.text, met } : {}) });
  const shown = value.toFixed(Math.abs(value) >= 100 ? 0 : 3);
  const verdict = goal ? ` (goal ${goal.text}: ${met ? 'met' : 'MISSED'})` : '';
  console.log(`${name.padEnd(34)} ${shown.padStart(9)} ${unit}${verdict}`);
}
const at_least = (n) => ({ text: `>= ${n}`, met: (v) => v >= n });
const below = (n, unit) => ({ text: `< ${n} ${unit}`, met: (v) => v < n });
const full_size = (goal) => (SHORT ? null : goal);

function tool(core, program, args) {
  const line = [...on_core(core), program, ...args.map(String)];
  const r = spawnSync(line[0], line.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (r.status !== 0) throw new Error(`${line.join(' ')} ended with status ${r.status}: ${r.stdout}`);
  return JSON.parse(r.stdout);
}

class Bench {
  // who: the arguments of the load that say by whom and where to.
  constructor(server, who) {
    Object.assign(this, { server, who });
  }
  post(connections, pipeline, more) {
    const where = ['--port', this.server.options.port, ...this.who];
    return tool(1, tools.post, [...where, '--connections', connections, '--pipeline', pipeline, ...more]);
  }
  posts_per_s(connections = IN_FLIGHT, pipeline = 1, seconds = SIZE.seconds) {
    return this.post(connections, pipeline, ['--seconds', seconds]);
  }
  lone_us() {
    return this.post(1, 1, ['--posts', SIZE.lone]).p50_us;
  }
}

const one = (token, channel) => ['--token', token, '--channel', channel];
const lines = (file) => readFileSync(at(file), 'utf8').split('\n').filter(Boolean);

async function start(name) {
  const server = new Server({ dir: at(name), port: await free_port(), wrap: on_core(0) });
  const began = process.hrtime.bigint();
  const info = await server.start({}, 120_000);
  return { server, info, ready_ms: Number(process.hrtime.bigint() - began) / 1e6 };
}

async function ready_ms(name_of) {
  const times = [];
  for (let i = 0; i < SIZE.starts; i++) {
    const { server, ready_ms: ms } = await start(name_of(i));
    times.push(ms);
    await server.stop();
  }
  return median(times);
}

function anonymous_mib(pid) {
  const kib = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  return Number(kib) / 1024;
}

// A store with posts in it, for the rows that bare SQLite is to write.
async function make_template() {
  const { server, info } = await start('template');
  new Bench(server, one(info.users[0].token, info.channels[0].id)).post(4, 1, ['--posts', 100]);
  await server.stop();
  return path.join(at('template'), 'taut.db');
}

// A fresh file each time.
function bare(what, args) {
  const out = at('bare');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const file = path.join(out, 'file');
  return what === 'fsync' ? tool(0, tools.sqlite, ['fsync', file, ...args]) : tool(0, tools.sqlite, [what, at('template/taut.db'), file, ...args]);
}

// Fills the directory of that name; the tokens and channels are in NAME.tokens and NAME.channels.
function seed(name, { users, channels, messages }) {
  const args = ['--users', users, '--channels', channels, '--messages', messages];
  const files = ['--data', at(name), '--tokens', at(`${name}.tokens`), '--channels-out', at(`${name}.channels`)];
  execFileSync(TAUT, ['seed', ...files, ...args.map(String)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

// Every person of the workspace "spread" joins every channel.
async function join_all({ server, info }) {
  const api = new Api(info.url);
  const joins = lines('spread.tokens').flatMap((token) => lines('spread.channels').map((channel) => ({ token, channel })));
  const worker = async () => {
    for (let j; (j = joins.pop()); ) await api.must('conversations.join', j.token, { channel: j.channel });
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  api.close();
  return new Bench(server, ['--tokens', at('spread.tokens'), '--channels', at('spread.channels')]);
}

// The share of the machine that others take while nothing of ours runs.
async function others_share() {
  const now = () => {
    const t = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
    return { all: t.reduce((a, b) => a + b, 0), idle: t[3] + t[4] };
  };
  const a = now();
  await sleep(LOOK_MS);
  const b = now();
  return 1 - (b.idle - a.idle) / (b.all - a.all);
}

async function throughput(empty, seeded, spread) {
  const of = { empty: [], seeded: [], spread: [], bare: [], bare_spread: [], ratio: [], ratio_seeded: [], others: [] };
  let last;
  for (const b of [empty, seeded, spread]) b.posts_per_s(IN_FLIGHT, 1, 1);
  for (let i = 0; i < SIZE.rounds; i++) {
    of.others.push(await others_share());
    last = empty.posts_per_s();
    const full = seeded.posts_per_s().posts_per_s;
    of.spread.push(spread.posts_per_s().posts_per_s);
    const floor = bare('posts', [SIZE.seconds, 1, BATCH]).posts_per_s;
    of.bare_spread.push(bare('posts', [SIZE.seconds, SPREAD.channels, BATCH]).posts_per_s);
    of.empty.push(last.posts_per_s);
    of.seeded.push(full);
    of.bare.push(floor);
    of.ratio.push(last.posts_per_s / floor);
    of.ratio_seeded.push(full / floor);
    say(`round ${i + 1}: ${last.posts_per_s} posts/s empty, ${full} seeded, ${of.spread.at(-1)} spread, ${floor} bare SQLite, ${of.bare_spread.at(-1)} bare spread`);
  }
  figure('taken_by_others', 100 * median(of.others), '% of the machine: the ratios are sound when it is small');
  figure('bare_sqlite', median(of.bare), 'posts/s');
  figure('posts', median(of.empty), 'posts/s');
  figure('posts_p50', last.p50_us / 1000, 'ms');
  figure('posts_p99', last.p99_us / 1000, 'ms');
  figure('posts_16x16', median([0, 0, 0].map(() => empty.posts_per_s(16, 16).posts_per_s)), 'posts/s');
  figure('posts_seeded', median(of.seeded), 'posts/s');
  figure('posts_spread', median(of.spread), `posts/s by ${SPREAD.users} people to ${SPREAD.channels} channels`);
  figure('posts_to_bare_sqlite', median(of.ratio), '', full_size(at_least(0.3)));
  figure('posts_seeded_to_bare_sqlite', median(of.ratio_seeded), '', full_size(at_least(0.3)));
  figure('bare_sqlite_spread', median(of.bare_spread), `posts/s to ${SPREAD.channels} channels`);
  figure('posts_spread_to_bare_sqlite_spread', median(of.spread.map((v, i) => v / of.bare_spread[i])), '');
  figure('posts_spread_to_empty', median(of.spread.map((v, i) => v / of.empty[i])), '');
  figure('posts_seeded_to_empty', median(of.seeded.map((v, i) => v / of.empty[i])), '', full_size(at_least(0.9)));
}

function lone(empty) {
  const of = { lone: [], fsync: [], single: [] };
  for (let i = 0; i < SIZE.rounds; i++) {
    of.lone.push(empty.lone_us());
    of.fsync.push(bare('fsync', [SIZE.lone]).p50_us);
    of.single.push(bare('single', [SIZE.lone]).p50_us);
  }
  const over = of.lone.map((v, i) => (v - 2 * of.fsync[i]) / 1000);
  figure('fdatasync', median(of.fsync) / 1000, 'ms');
  figure('bare_sqlite_single', median(of.single) / 1000, 'ms');
  figure('lone_post', median(of.lone) / 1000, 'ms');
  figure('lone_post_over_2_fdatasync', median(over), 'ms', full_size(below(0.5, 'ms')));
}

// One message to many sockets, W messages on their way at a time.
function fanout({ server }) {
  const where = ['--port', server.options.port, '--pid', server.pid(), '--tokens', at('spread.tokens'), '--channel', lines('spread.channels')[0]];
  for (const w of [1, 32]) {
    const run = () => tool(1, tools.fanout, [...where, '--sockets', SUBSCRIBERS, '--flight', w, '--seconds', SIZE.seconds]);
    const runs = Array.from({ length: SIZE.fanouts }, run);
    const of = (name) => median(runs.map((r) => r[name]));
    figure(`fanout_${w}`, of('deliveries_per_s'), `deliveries/s to ${SUBSCRIBERS} sockets, ${w} in flight`);
    figure(`fanout_${w}_cpu`, of('cpu_s_per_million'), 's of the server for a million deliveries');
    figure(`fanout_${w}_p50`, of('p50_us') / 1000, 'ms from a post until all have it');
  }
}

async function main() {
  say(`${SHORT ? 'short run; ' : ''}data in ${dir}`);
  figure('ready_empty', await ready_ms((i) => `empty-${i}`), 'ms', below(300, 'ms'));
  await make_template();
  const { server, info } = await start('empty');
  await sleep(IDLE_MS);
  figure('idle_anonymous_memory', anonymous_mib(server.pid()), 'MiB', below(30, 'MiB'));
  const empty = new Bench(server, one(info.users[0].token, info.channels[0].id));
  lone(empty);
  const began = Date.now();
  seed('seeded', SIZE);
  figure('seed', (Date.now() - began) / 1000, 's');
  figure('ready_seeded', await ready_ms(() => 'seeded'), 'ms', full_size(below(3000, 'ms')));
  const full = await start('seeded');
  await sleep(IDLE_MS);
  figure('idle_anonymous_memory_seeded', anonymous_mib(full.server.pid()), 'MiB');
  seed('spread', SPREAD);
  const spread = await start('spread');
  await throughput(
    empty,
    new Bench(full.server, one(lines('seeded.tokens')[0], lines('seeded.channels')[0])),
    await join_all(spread),
  );
  fanout(spread);
  for (const s of [server, full.server, spread.server]) await s.stop();
}

try {
  await main();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
const machine = { cpu: os.cpus()[0].model, cores: os.cpus().length, kernel: os.release(), node: process.version, short: SHORT };
console.log(JSON.stringify({ machine, figures }));
const missed = figures.filter((f) => f.met === false).length;
console.log(missed ? `${missed} goals missed` : 'every goal met');
process.exit(missed ? 1 : 0);
