// HTTP without an SDK: what goes over the wire is what the test says.
import http from 'node:http';
import net from 'node:net';

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

// { status, headers, text, json }
export function request(server, { method = 'POST', path, headers = {}, body = '' }) {
  const bytes = Buffer.from(body);
  const url = new URL(path, server.url);
  return new Promise((resolve, reject) => {
    const req = http.request(
      url,
      { method, agent, headers: { ...(method === 'GET' ? {} : { 'content-length': bytes.length }), ...headers } },
      (res) => {
        const chunks = [];
        res.on('data', (c) => chunks.push(c));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          let json;
          try {
            json = JSON.parse(text);
          } catch {
            json = undefined;
          }
          resolve({ status: res.statusCode, headers: res.headers, text, json });
        });
      },
    );
    req.on('error', reject);
    req.end(method === 'GET' ? undefined : bytes);
  });
}

export const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
export const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
export const bearer = (token) => ({ authorization: `Bearer ${token}` });

// The answer's body; token may be undefined.
export async function call(server, method, token, args = {}) {
  const { json } = await request(server, {
    path: `/api/${method}`,
    headers: { ...JSON_TYPE, ...(token ? bearer(token) : {}) },
    body: JSON.stringify(args),
  });
  return json;
}

export async function must(server, method, token, args = {}) {
  const body = await call(server, method, token, args);
  if (!body?.ok) throw new Error(`${method} ${JSON.stringify(args)}: ${JSON.stringify(body)}`);
  return body;
}

// Sends bytes, and gives everything that comes back until the server closes (or `ms` pass).
export function raw(server, bytes, ms = 5000) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(done, ms);
    socket.on('data', (d) => (text += d.toString('utf8')));
    socket.on('close', () => {
      clearTimeout(timer);
      done();
    });
    socket.on('error', (e) => (text ? done() : reject(e)));
  });
}

// Runs `make(i)` for i = 0 … n-1, at most `width` at a time. Gives the results in order.
export async function many(n, width, make) {
  const results = new Array(n);
  let next = 0;
  const worker = async () => {
    while (next < n) {
      const i = next++;
      results[i] = await make(i);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

// The sum of a number of all gateways, as /metrics has it: metric(server, 'tls_connections').
export async function metric(server, name) {
  const { text } = await request({ url: server.admin_url }, { method: 'GET', path: '/metrics' });
  const values = [...text.matchAll(new RegExp(`^taut_gateway_${name}\\{[^}]*\\} (\\S+)$`, 'gm'))];
  if (!values.length) throw new Error(`no metric ${name}`);
  return values.reduce((sum, [, v]) => sum + Number(v), 0);
}
