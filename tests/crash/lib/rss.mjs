// The memory of a server, written down while it runs: what is its own, not what is mapped from files.
import { readFileSync } from 'node:fs';

const EVERY_MS = 100;

export function rss_kib(pid) {
  try {
    const [, kib] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
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
