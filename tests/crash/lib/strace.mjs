// Reading a log of `strace -f -y -ttt -T -s N`: one entry a system call, with its begin and end in seconds and the
// places of both in the log, whose order is the order of what happened.
import { readFileSync } from 'node:fs';

const LINE = /^(\d+)\s+(\d+\.\d+) (.*)$/;

// [{pid, name, text, begin, end, begin_line, end_line}], by begin. text: the call as printed, arguments and result.
export function read_strace(file) {
  const calls = [];
  const open = new Map();
  readFileSync(file, 'utf8').split('\n').forEach((line, at) => {
    const m = LINE.exec(line);
    if (!m) return;
    const [, pid, time, rest] = m;
    const t = Number(time);
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed) {
      const call = open.get(pid);
      open.delete(pid);
      if (call) Object.assign(call, { text: call.text + resumed[2], end: t, end_line: at });
      return;
    }
    const name = /^(\w+)\(/.exec(rest)?.[1];
    if (!name) return;
    const call = { pid, name, text: rest.replace(/ <unfinished \.\.\.>$/, ''), begin: t, begin_line: at };
    calls.push(call);
    if (rest.endsWith('<unfinished ...>')) open.set(pid, call);
    else Object.assign(call, { end: t, end_line: at });
  });
  return calls;
}

export const STRACE = ['strace', '-f', '-y', '-ttt'];

// For a server that is traced: LeakSanitizer traces its own process, which can have one tracer only.
export const TRACED_ENV = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` };
