// Web API calls over HTTP keep-alive, told apart by what the caller knows afterwards:
//   ok        the server said ok
//   fail      the server said no: it has not happened and will not; `again` when the same may succeed later
//   unknown   anything else: the connection broke, no answer, or an answer that says "I do not know"
import http from 'node:http';

// Codes that do not say whether it happened, and those that say that nothing was stored by this try.
const UNKNOWN_ERRORS = new Set(['request_timeout', 'internal_error', 'fatal_error']);
const AGAIN_ERRORS = new Set(['service_unavailable', 'ratelimited']);

export class Api {
  constructor(base) {
    this.base = new URL(base);
    this.agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  }

  close() {
    this.agent.destroy();
  }

  // timeout_ms: after it the connection is cut.
  call(method, token, args = {}, timeout_ms = 15_000) {
    const body = Buffer.from(JSON.stringify(args));
    return new Promise((resolve) => {
      const unknown = (why) => resolve({ kind: 'unknown', error: why });
      const req = http.request({
        host: this.base.hostname,
        port: this.base.port,
        path: `/api/${method}`,
        method: 'POST',
        agent: this.agent,
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json; charset=utf-8',
          'Content-Length': body.length,
        },
      });
      const timer = setTimeout(() => req.destroy(new Error('timed out here')), timeout_ms);
      req.on('error', (e) => unknown(e.message));
      req.on('close', () => clearTimeout(timer));
      req.on('response', (res) => {
        const chunks = [];
        res.on('data', (c) => chunks.push(c));
        res.on('error', (e) => unknown(e.message));
        res.on('aborted', () => unknown('cut in the answer'));
        res.on('end', () => resolve(judge(res.statusCode, Buffer.concat(chunks).toString('utf8'))));
      });
      req.end(body);
    });
  }

  // The same for what must succeed.
  async must(method, token, args) {
    const r = await this.call(method, token, args);
    if (r.kind !== 'ok') throw new Error(`${method} ${JSON.stringify(args)}: ${r.kind} ${r.error}`);
    return r.body;
  }

  // All pages of a list method.
  async all(method, token, args, member) {
    const out = [];
    let cursor = '';
    do {
      const page = await this.must(method, token, { ...args, ...(cursor ? { cursor } : {}) });
      out.push(...page[member]);
      cursor = page.response_metadata?.next_cursor ?? '';
    } while (cursor);
    return out;
  }
}

function judge(status, text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'unknown', error: `status ${status}, not JSON` };
  }
  if (status === 200 && body.ok === true) return { kind: 'ok', body };
  if (status === 200 && body.ok === false && !UNKNOWN_ERRORS.has(body.error))
    return { kind: 'fail', error: body.error, again: AGAIN_ERRORS.has(body.error), body };
  return { kind: 'unknown', error: `status ${status} ${body.error}`, body };
}
