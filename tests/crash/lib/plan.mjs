// The plan of a run, from a seed: what happens to the server, and how it is set up.

// Named points that a server passes while it works, with how often they are passed in a second or two; and those of a
// start, at which it dies before it is ready.
export const POINTS = {
  'store.before_commit': [20, 150],
  'store.after_commit': [20, 150],
  'store.before_answer': [20, 150],
  'hub.before_publish': [20, 150],
  'gateway.in_fanout': [200, 3000],
};
export const OPENING_POINTS = ['store.in_opening', 'store.in_migration'];

const MIN_MS = 150;
const SPREAD_MS = 1200;
const PAUSE_MS = [50, 700];

// So many kills at random times, and each named point so many times; pauses and orderly stops between them. The first
// round is a random one: the server that makes the workspaces runs without a named point.
export function plan(random, { kills, visits = Math.max(1, Math.round(kills / 15)), pauses = Math.ceil(kills / 3), stops = Math.ceil(kills / 5) }) {
  const after_ms = () => MIN_MS + random.next() * SPREAD_MS;
  const rest = [];
  for (let i = 1; i < kills; i++) rest.push({ after_ms: after_ms() });
  for (let i = 0; i < stops; i++) rest.push({ after_ms: after_ms(), stop: true });
  for (let i = 0; i < visits; i++) {
    for (const [name, passes] of Object.entries(POINTS)) rest.push({ at: `${name}:${random.whole(...passes)}` });
    for (const name of OPENING_POINTS) rest.push({ after_ms: after_ms(), opening: name });
  }
  const rounds = [{ after_ms: after_ms() }, ...shuffled(random, rest)];
  for (let i = 0; i < pauses; i++) insert_pause(random, rounds, { after_ms: after_ms() / 2, pause_ms: random.between(...PAUSE_MS) });
  return rounds;
}

// Not before a named point, which is given to the server at the start of the round.
function insert_pause(random, rounds, pause) {
  const places = Array.from({ length: rounds.length + 1 }, (_, i) => i).filter((i) => i > 0 && !rounds[i]?.at);
  rounds.splice(random.pick(places), 0, pause);
}

function shuffled(random, list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.whole(0, i);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

// Small queues and caches make connections lag, tails too short and rows be read again; a short time-out makes calls
// end while their commit is under way.
export function settings(random) {
  return {
    tail_events: random.pick([20_000, 300]),
    connection_queue: random.pick(['256KiB', '96KiB']),
    cache: random.pick(['32MiB', '3KiB']),
    call_timeout: random.pick(['30s', '250ms']),
    gateways: random.pick([1, 2]),
  };
}

export const said = (round) =>
  round.at ? `at ${round.at}`
    : round.opening ? `kill -9 after ${round.after_ms.toFixed(0)} ms, and at ${round.opening}`
      : `${round.pause_ms ? `a pause of ${round.pause_ms.toFixed(0)} ms` : round.stop ? 'SIGTERM' : 'kill -9'} after ${round.after_ms.toFixed(0)} ms`;
