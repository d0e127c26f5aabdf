// Who was on which topic at which position of the log, from what was so at the start and from the log's own changes.
// A change takes effect with its event: whoever leaves no longer sees that event, whoever joins sees it.

export class Memberships {
  constructor() {
    this.spans = new Map(); // "user topic" -> [{from, to}]: the events of the changes themselves
  }

  start({ user, topic, seq }) {
    this.spans_of(user, topic).push({ from: seq, to: Infinity, initial: true });
  }

  apply({ seq, deltas }) {
    for (const { how, who, topic } of deltas) {
      const spans = this.spans_of(who, topic);
      const last = spans[spans.length - 1];
      const is_on = last && last.to === Infinity;
      if (is_on && last.initial && seq <= last.from) continue; // before the start: already counted in
      if (how === '+' && !is_on) spans.push({ from: seq, to: Infinity });
      if (how === '-' && is_on) last.to = seq;
    }
  }

  // Is to see an event of that topic at that position; nobody else may.
  has(user, topic, seq) {
    return this.left_at(user, topic, seq) !== null;
  }

  // Where that membership ended: the seq, or Infinity; null when there was none.
  left_at(user, topic, seq) {
    const spans = this.spans.get(`${user} ${topic}`) ?? [];
    return spans.find((s) => s.from <= seq && seq < s.to)?.to ?? null;
  }

  // Index of the first entry of a log, sorted by seq, that comes after seq.
  first_after(log, seq) {
    let lo = 0;
    let hi = log.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (log[mid].seq > seq) hi = mid;
      else lo = mid + 1;
    }
    return lo;
  }

  spans_of(user, topic) {
    const name = `${user} ${topic}`;
    if (!this.spans.has(name)) this.spans.set(name, []);
    return this.spans.get(name);
  }
}
