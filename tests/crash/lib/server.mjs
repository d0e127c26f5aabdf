// A `taut demo` that tests start, kill and start again on the same directory.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../..');
export const TAUT = process.env.TAUT ?? path.join(ROOT, 'build/gcc/bin/taut');

// Below the range from which the kernel takes ports for outgoing connections, so that a port stays ours between a
// kill and the next start.
const FIRST_PORT = Number(process.env.TAUT_TEST_PORT ?? 20700);
const PORTS = 100;

// taken: those that somebody here is about to use
export async function free_port(taken = []) {
  const from = process.pid % PORTS;
  for (let i = 0; i < PORTS; i++) {
    const port = FIRST_PORT + ((from + i) % PORTS);
    if (!taken.includes(port) && (await can_bind(port))) return port;
  }
  throw new Error(`no free port in ${FIRST_PORT}-${FIRST_PORT + PORTS - 1}; set TAUT_TEST_PORT to another range`);
}

function can_bind(port) {
  return new Promise((resolve) => {
    const s = net.createServer();
    s.once('error', () => resolve(false));
    s.listen(port, '127.0.0.1', () => s.close(() => resolve(true)));
  });
}

export function new_dir(what) {
  return mkdtempSync(path.join(tmpdir(), `taut-${what}-`));
}

const running = new Set();
process.on('exit', () => running.forEach((server) => server.kill()));

export class Server {
  // options: dir, port, env, args (more of them), wrap (a command line to run it under, such as strace)
  constructor(options) {
    this.options = { env: {}, args: [], wrap: [], bin: TAUT, ...options };
    this.log = '';
  }

  // Starts it and waits for its JSON line.
  async start(env = {}, ready_ms = 30_000) {
    const { bin, dir, port, args, wrap } = this.options;
    const line = [...wrap, bin, 'demo', '--data', dir, '--listen', `127.0.0.1:${port}`, '--json', ...args];
    this.child = spawn(line[0], line.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.options.env, ...env },
    });
    running.add(this);
    this.exited = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve({ code, signal })));
    this.exited.then(() => running.delete(this));
    this.child.stderr.on('data', (d) => (this.log = (this.log + d).slice(-20_000)));
    this.info = await first_line(this.child, this.exited, ready_ms, () => this.log);
    return this.info;
  }

  // The server's own process: a wrapper either has it as its child, or has become it.
  pid() {
    return (this.options.wrap.length && child_of(this.child.pid)) || this.child.pid;
  }

  async kill(signal = 'SIGKILL') {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.exited;
    try {
      process.kill(this.pid(), signal);
    } catch (e) {
      if (e.code !== 'ESRCH') throw e;
    }
    return this.exited;
  }

  // Stops it in good order; anything else than exit status 0 is an error.
  async stop() {
    const { code, signal } = await this.kill('SIGTERM');
    if (code !== 0) throw new Error(`after SIGTERM the server ended with ${signal ?? `status ${code}`}\n${this.log}`);
  }

  remove_dir() {
    rmSync(this.options.dir, { recursive: true, force: true });
  }
}

function first_line(child, exited, ready_ms, log) {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`not ready in ${ready_ms} ms\n${log()}`)), ready_ms);
    child.on('error', reject);
    exited.then((how) => {
      clearTimeout(timer);
      reject(new Error(`the server ended before it was ready (${how.signal ?? `status ${how.code}`})\n${log()}`));
    });
    child.stdout.on('data', (d) => {
      text += d;
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      try {
        resolve(JSON.parse(text.slice(0, text.indexOf('\n'))));
      } catch (e) {
        reject(new Error(`the first line on stdout is no JSON: ${text}`));
      }
    });
  });
}

function child_of(parent) {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const after = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(after[1]) === parent) return Number(name);
    } catch {
      // it has gone meanwhile
    }
  }
  return null;
}
