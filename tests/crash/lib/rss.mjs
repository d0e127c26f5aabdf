// The memory of a server, written down while it runs: what is its own, not what is mapped from files.
import { readFileSync } from 'node:fs';

const EVERY_MS = 100;

const TERABYTE_KIB = 2 ** 30;

export const rss_kib = (pid) => field_kib(pid, 'RssAnon');

// Sanitizers reserve address space by the terabyte. With them memory is a multiple.
export const is_sanitized = (pid) => field_kib(pid, 'VmSize') > TERABYTE_KIB;

function field_kib(pid, name) {
  try {
    const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib ? Number(kib) : null;
  } catch {
    return null; // it has just been killed
  }
}

// Gives the function that ends it.
export function watch_memory(server, history) {
  const timer = setInterval(() => {
    const kib = rss_kib(server.pid());
    if (kib !== null && history.fd !== null) history.add('rss', { kib });
  }, EVERY_MS);
  return () => clearInterval(timer);
}
