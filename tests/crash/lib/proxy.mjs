// A TCP proxy that does to connections what networks do. Each connection has a fate, chosen when it is opened:
//   plain                 passed on as it comes
//   delay {ms}            each piece that much later
//   trickle {bytes}       so many bytes every 5 ms towards the client
//   cut {bytes}           ended after so many bytes towards the client, wherever in a frame that is
//   mute {bytes, ms}      what the server sends is lost from there on; ended after ms
//   deaf {bytes, ms}      what the client sends is lost from there on; ended after ms
import net from 'node:net';

const TICK_MS = 5;
const HELD_BYTES = 64 * 1024; // then the sender is not read until there is room

export class Proxy {
  // fate(): of the next connection
  static async start(port, target_port, fate) {
    const proxy = new Proxy(port, target_port, fate);
    await new Promise((resolve, reject) => proxy.server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return proxy;
  }

  constructor(port, target_port, fate) {
    Object.assign(this, { port, target_port, fate, links: new Set(), counts: {}, is_calm: false });
    this.server = net.createServer((client) => this.accept(client));
  }

  accept(client) {
    const fate = this.is_calm ? { kind: 'plain' } : this.fate();
    this.counts[fate.kind] = (this.counts[fate.kind] ?? 0) + 1;
    const link = new Link(client, net.connect(this.target_port, '127.0.0.1'), fate, () => this.links.delete(link));
    this.links.add(link);
  }

  // From here on nothing bad happens: what is slow becomes fast, what loses ends.
  calm() {
    this.is_calm = true;
    for (const link of this.links) link.calm();
  }

  close() {
    this.server.close();
    for (const link of this.links) link.end();
  }
}

class Link {
  constructor(client, upstream, fate, on_end) {
    Object.assign(this, { client, upstream, fate, on_end, ended: false });
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.end());
      socket.on('close', () => this.end());
    }
    this.down = new Way(this, upstream, client, ['delay', 'trickle', 'cut', 'mute']);
    this.up = new Way(this, client, upstream, ['delay', 'deaf']);
  }

  calm() {
    if (this.fate.kind === 'mute' || this.fate.kind === 'deaf') this.end();
    else this.fate = { kind: 'plain' };
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    this.down.stop();
    this.client.destroy();
    this.upstream.destroy();
    this.on_end();
  }
}

// One direction of a link. Pieces leave in the order in which they came, each not before its time.
class Way {
  constructor(link, from, to, kinds) {
    Object.assign(this, { link, from, to, kinds, passed: 0, queue: [], held: 0, timer: null, ending: null });
    from.on('data', (piece) => this.take(piece));
    to.on('drain', () => this.work());
  }

  take(piece) {
    const { kind, ms = 0 } = this.fate();
    if (kind === 'mute' || kind === 'deaf') piece = this.lose(piece, ms);
    if (!piece.length) return;
    this.queue.push({ piece, at: Date.now() + (kind === 'delay' ? ms : 0) });
    this.held += piece.length;
    if (this.held > HELD_BYTES) this.from.pause();
    this.work();
  }

  fate() {
    return this.kinds.includes(this.link.fate.kind) ? this.link.fate : { kind: 'plain' };
  }

  // What is left of a piece on its way into a hole.
  lose(piece, ms) {
    const left = piece.subarray(0, Math.max(0, this.link.fate.bytes - this.passed - this.held));
    if (left.length < piece.length) this.ending ??= setTimeout(() => this.link.end(), ms);
    return left;
  }

  work() {
    clearTimeout(this.timer);
    this.timer = null;
    let budget = this.fate().kind === 'trickle' ? this.fate().bytes : Infinity;
    while (this.queue.length && budget > 0 && !this.link.ended && this.to.writableLength < HELD_BYTES) {
      const { piece, at } = this.queue[0];
      if (at > Date.now()) break;
      const n = Math.min(piece.length, budget);
      budget -= n;
      this.held -= n;
      if (n === piece.length) this.queue.shift();
      else this.queue[0].piece = piece.subarray(n);
      this.pass(piece.subarray(0, n));
    }
    if (this.held <= HELD_BYTES) this.from.resume();
    if (this.queue.length && !this.link.ended) this.timer = setTimeout(() => this.work(), TICK_MS);
  }

  pass(piece) {
    const { kind, bytes } = this.fate();
    this.passed += piece.length;
    if (kind !== 'cut' || this.passed < bytes) return void this.to.write(piece);
    const left = piece.subarray(0, Math.max(0, piece.length - (this.passed - bytes)));
    this.from.pause();
    this.queue = [];
    this.to.write(left, () => this.link.end());
  }

  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.ending);
  }
}

// Mostly nothing, else one of all that can happen.
export function rough(random) {
  return () => {
    if (random.chance(0.4)) return { kind: 'plain' };
    const bytes = random.whole(200, 400_000);
    return random.pick([
      { kind: 'delay', ms: random.whole(1, 60) },
      { kind: 'trickle', bytes: random.whole(200, 2000) },
      { kind: 'cut', bytes },
      { kind: 'mute', bytes, ms: random.whole(50, 500) },
      { kind: 'deaf', bytes: random.whole(200, 50_000), ms: random.whole(50, 500) },
    ]);
  };
}
