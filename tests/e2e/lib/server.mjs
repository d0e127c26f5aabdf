// A server of one's own: `taut demo` on a fresh data directory and a free port, stopped by its pid.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const TOP = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../..');
export const TAUT = process.env.TAUT ?? path.join(TOP, 'build/asan/bin/taut');
const READY_MS = 60_000;
const STOP_MS = 30_000;

const dirs = [];
process.on('exit', () => dirs.forEach((d) => rmSync(d, { recursive: true, force: true })));

// A new directory that goes away with the process.
export function newDir() {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'taut-e2e-'));
  dirs.push(dir);
  return dir;
}

export function writeFile(dir, name, text) {
  const file = path.join(dir, name);
  writeFileSync(file, text);
  return file;
}

// Runs the program to its end: { code, signal, out, err, json }. json: the output parsed, or undefined.
export function taut(args, { env = {}, input = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(TAUT, args, { env: { ...process.env, ...env } });
    let out = '';
    let err = '';
    child.stdout.on('data', (d) => (out += d));
    child.stderr.on('data', (d) => (err += d));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err, json: parsed(out) }));
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Server {
  // options: data, listen, args, env, wrap (a command line to run it under)
  static async start(options = {}) {
    const server = new Server(options);
    await server.up();
    return server;
  }

  constructor({ data = path.join(newDir(), 'data'), listen = '127.0.0.1:0', args = [], env = {}, wrap = [] } = {}) {
    Object.assign(this, { data, listen, args, env, wrap, log: '' });
  }

  async up() {
    const args = ['demo', '--data', this.data, '--listen', this.listen, '--json', ...this.args];
    const [program, ...words] = [...this.wrap, TAUT, ...args];
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.env } });
    running.add(child);
    this.child = child;
    this.exited = new Promise((resolve) =>
      child.on('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal });
      }),
    );
    child.stderr.on('data', (d) => (this.log += d));
    this.lines = [];
    const ready = new Promise((resolve) =>
      createInterface(child.stdout).on('line', (line) => {
        this.lines.push(line);
        resolve(line);
      }),
    );
    const line = await within(Promise.race([ready, this.exited]), READY_MS, 'the ready line');
    assert.equal(typeof line, 'string', `taut demo ended before it was ready: ${JSON.stringify(line)}\n${this.log}`);
    Object.assign(this, JSON.parse(line));
    return this;
  }

  user(name) {
    const found = this.users.find((u) => u.name === name);
    assert.ok(found, `no user ${name}`);
    return found;
  }

  channel(name) {
    const found = this.channels.find((c) => c.name === name);
    assert.ok(found, `no channel ${name}`);
    return found.id;
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  get api() {
    return `${this.url.replace(/\/$/, '')}/api/`;
  }

  // Ends it as an operator would. It must end well: also with sanitizers, whose findings are an exit code.
  async stop() {
    this.child.kill('SIGTERM');
    const end = await within(this.exited, STOP_MS, 'the end after SIGTERM');
    assert.deepEqual(end, { code: 0, signal: null }, this.log.slice(-8000));
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  // Stops it, and starts it on the same data.
  async restart() {
    await this.stop();
    this.log = '';
    return this.up();
  }
}

export function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
