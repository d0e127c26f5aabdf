// A history: one JSON object a line, "e" says what it is (the kinds are listed in README.md). Written as it happens,
// read line after line, so that one of millions of records needs no more memory than the checker's index of it.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 1024 * 1024;

export const now_us = () => Number(process.hrtime.bigint() / 1000n);

export class History {
  constructor(file) {
    this.path = file;
    this.fd = openSync(file, 'w');
    this.lines = [];
    this.bytes = 0;
    this.counts = {};
  }

  add(e, fields) {
    const line = JSON.stringify({ e, ...fields });
    this.counts[e] = (this.counts[e] ?? 0) + 1;
    this.lines.push(line);
    this.bytes += line.length + 1;
    if (this.bytes >= WRITE_BYTES) this.flush();
  }

  flush() {
    if (this.lines.length) writeSync(this.fd, `${this.lines.join('\n')}\n`);
    this.lines = [];
    this.bytes = 0;
  }

  close() {
    if (this.fd === null) return;
    this.flush();
    closeSync(this.fd);
    this.fd = null;
  }
}

export function* lines_of(file) {
  const fd = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for (let n; (n = readSync(fd, buffer, 0, READ_BYTES, null)) > 0; ) {
      const text = rest + decoder.decode(buffer.subarray(0, n), { stream: true });
      let from = 0;
      for (let to; (to = text.indexOf('\n', from)) >= 0; from = to + 1) yield text.slice(from, to);
      rest = text.slice(from);
    }
    if (rest) yield rest;
  } finally {
    closeSync(fd);
  }
}

// The records of a file, or of a list: anything that can be gone through more than once.
export function* records_of(source) {
  if (typeof source !== 'string') yield* source;
  else for (const line of lines_of(source)) yield JSON.parse(line);
}

// The records at these places, by place.
export function records_at(source, places) {
  const wanted = new Set(places);
  const out = new Map();
  let at = 0;
  for (const r of typeof source === 'string' ? lines_of(source) : source) {
    if (wanted.has(at)) out.set(at, typeof r === 'string' ? JSON.parse(r) : r);
    at++;
  }
  return out;
}
