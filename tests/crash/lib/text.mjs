// What posts are made of, and waiting.
import { createHash } from 'node:crypto';

const WORDS = 'tea coffee queue river lamp stone cloud forty green window paper'.split(' ');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const hash_of = (text) => createHash('sha1').update(text).digest('hex').slice(0, 12);
export const words = (random, n) => Array.from({ length: n }, () => random.pick(WORDS)).join(' ');
