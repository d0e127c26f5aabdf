// TLS for tests: an authority of one's own, certificates for 127.0.0.1, a server that has one, clients that trust it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';

import { withServerOptions } from './options.mjs';
import { newDir, Server, writeFile } from './server.mjs';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

export class Authority {
  constructor(dir = newDir()) {
    this.dir = dir;
    this.cert = path.join(dir, 'ca.crt');
    this.key = path.join(dir, 'ca.key');
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '7',
      '-subj', '/CN=Test authority', '-keyout', this.key, '-out', this.cert);
    this.pem = readFileSync(this.cert);
  }

  // NAME.crt and NAME.key, for these names. Gives their paths.
  issue(name, names = 'IP:127.0.0.1,DNS:localhost', days = 7) {
    const at = (ext) => path.join(this.dir, `${name}.${ext}`);
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
      '-keyout', at('key'), '-out', at('csr'));
    writeFile(this.dir, `${name}.ext`, `subjectAltName=${names}\n`);
    openssl('x509', '-req', '-in', at('csr'), '-CA', this.cert, '-CAkey', this.key, '-CAcreateserial', '-days',
      String(days), '-extfile', at('ext'), '-out', at('crt'));
    return { cert: at('crt'), key: at('key') };
  }
}

// `taut demo` with TLS; more: further lines of `server:`.
export async function startTls(authority, { cert, key }, more = '') {
  const file = await withServerOptions(`  tls:\n    cert: ${cert}\n    key: ${key}\n${more}`, authority.dir);
  const server = await Server.start({ args: ['--config', file] });
  server.rtm = { agent: new https.Agent({ ca: authority.pem, keepAlive: true }) };
  server.ca = authority.pem;
  server.config = file;
  return server;
}

// { status, headers, text, json }
export function secureRequest(server, { method = 'POST', path: where, headers = {}, body = '', agent = false }) {
  return new Promise((resolve, reject) => {
    const req = https.request(new URL(where, server.url), { method, headers, agent, ca: server.ca }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: res.statusCode, headers: res.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

// A connected TLS socket.
export function secureSocket(server, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: server.ca, ...options }, () => resolve(socket));
    socket.on('error', reject);
  });
}
