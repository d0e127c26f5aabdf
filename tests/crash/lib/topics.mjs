// Who was on which topic at which position of the log, from what was so at the start and from the log's own changes.
// A change takes effect with its event: whoever leaves no longer sees that event, whoever joins sees it.

const NONE = new Map();

export class Memberships {
  constructor() {
    this.users = new Map(); // user -> topic -> [{from, to}], the changes' own events being their borders
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

  // topic -> spans
  of(user) {
    return this.users.get(user) ?? NONE;
  }

  spans_of(user, topic) {
    if (!this.users.has(user)) this.users.set(user, new Map());
    const topics = this.users.get(user);
    if (!topics.has(topic)) topics.set(topic, []);
    return topics.get(topic);
  }
}

// The span that holds this position, or undefined. Spans are sorted and do not overlap.
export function span_at(spans, seq) {
  let lo = 0;
  let hi = spans?.length ?? 0;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (spans[mid].from <= seq) lo = mid + 1;
    else hi = mid;
  }
  const span = lo ? spans[lo - 1] : undefined;
  return span && seq < span.to ? span : undefined;
}

// Was there a position from `lo` to `hi`, both included, inside one of the spans?
export function touches(spans, lo, hi) {
  return (spans ?? []).some((s) => s.from <= hi && lo < s.to && lo <= hi);
}

// Do the spans hold every position from `lo` to `hi`?
export function holds_all(spans, lo, hi) {
  return (spans ?? []).some((s) => s.from <= lo && hi < s.to);
}
