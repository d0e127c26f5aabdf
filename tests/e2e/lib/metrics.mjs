// /metrics of a server, read by a strict parser.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { request } from './http.mjs';

const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

// The interpreter that has Debian's packages: another one may come first in PATH.
export const PYTHON = '/usr/bin/python3';

export function parse(text) {
  const end = spawnSync(PYTHON, [path.join(HERE, 'openmetrics.py')], { input: text, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (end.status !== 0) throw new Error(end.stderr || String(end.error));
  const series = text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.replace(/ \S+$/, ''));
  const twice = series.find((s, i) => series.indexOf(s) !== i); // the one thing that the parser lets pass
  if (twice) throw new Error(`no OpenMetrics: ${twice} is there twice`);
  return new Page(JSON.parse(end.stdout));
}

export class Page {
  constructor(families) {
    this.families = families;
    this.samples = families.flatMap((f) => f.samples.map(([name, labels, value]) => ({ name, labels, value, type: f.type })));
  }

  // Samples of that name whose labels are among others these.
  all(name, labels = {}) {
    return this.samples.filter((s) => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v));
  }

  // Their sum.
  value(name, labels = {}) {
    const found = this.all(name, labels);
    assert.ok(found.length, `no ${name} ${JSON.stringify(labels)}`);
    return found.reduce((sum, s) => sum + s.value, 0);
  }
}

export async function metrics(admin) {
  const { status, headers, text } = await request(admin, { method: 'GET', path: '/metrics' });
  assert.equal(status, 200);
  assert.equal(headers['content-type'], CONTENT_TYPE);
  return parse(text);
}
