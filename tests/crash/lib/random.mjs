// Random choices from a seed (mulberry32): the plan of a run can be made again from the number that it printed. Times
// of a machine cannot, so the run itself is not the same twice.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  between(lo, hi) {
    return lo + this.next() * (hi - lo);
  }
  whole(lo, hi) {
    return Math.floor(this.between(lo, hi + 1));
  }
  chance(p) {
    return this.next() < p;
  }
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }
}

export const new_seed = () => Math.floor(Math.random() * 2 ** 32);
