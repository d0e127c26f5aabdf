// A log of system calls as records of the history: wrote, synced, left, in the order in which they happened. Times are
// places in the log. A handle is a descriptor from its opening to its closing.

const SENDS = new Set(['sendto', 'write', 'writev', 'sendmsg', 'sendmmsg']);

// keys: those to look for in what is written and sent
export function disk_records(calls, keys) {
  const generations = new Map(); // descriptor -> how often it was closed
  const events = [];
  const handle = (fd) => `wal#${fd}.${generations.get(fd) ?? 0}`;
  for (const c of calls) {
    const [, fd, file] = /^\w+\((\d+)<([^>]*)>/.exec(c.text) ?? [];
    if (c.name === 'close') generations.set(fd, (generations.get(fd) ?? 0) + 1);
    else if (c.name === 'pwrite64' && file?.endsWith('-wal')) of_keys(c, keys, (key) => events.push({ e: 'wrote', key, handle: handle(fd), t: c.end_line }));
    else if (/^f(data)?sync$/.test(c.name) && file?.endsWith('-wal'))
      events.push({ e: 'synced', handle: handle(fd), ok: / = 0( |$)/.test(c.text), t0: c.begin_line, t1: c.end_line });
    else if (SENDS.has(c.name) && /^(TCP|socket):/.test(file ?? '')) of_keys(c, keys, (key) => events.push({ e: 'left', key, t: c.begin_line }));
  }
  const when = (r) => r.t ?? r.t1;
  return events.sort((a, b) => when(a) - when(b));
}

function of_keys(call, keys, then) {
  for (const [key] of call.text.matchAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)) if (keys.has(key)) then(key);
}
