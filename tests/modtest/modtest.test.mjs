// taut-modtest: what it says of modules that do something wrong, and of scripts that are wrong, to the letter.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { folder, module, run, sanitized, script, scripts } from './program.mjs';

after(() => rmSync(folder, { recursive: true }));

const asked = (fault) => script(`modules: [faulty: {fault: ${fault}}]
tests:
  - name: it is asked
    steps:
      - call: faulty.ask
        answer: {ok: true, calls: 0}
`);
// The lines below the first test that fails, and how many failed.
const verdict = (fault, ...args) => {
  const r = run('--patience', '2s', ...args, module('faulty'), asked(fault));
  assert.equal(r.code, fault === 'none' ? 0 : 1, r.out);
  const lines = r.out.split('\n');
  const at = lines.findIndex((l) => l.startsWith('not ok'));
  const said = [];
  for (let i = at + 1; at >= 0 && lines[i].startsWith('#'); i++) if (!lines[i].startsWith('#   ')) said.push(lines[i]);
  return [at < 0 ? '' : lines[at].replace(/^not ok \d+ - /, ''), ...said];
};

describe('a module that', () => {
  const life = 'faulty begins and ends, twice';
  const left = (what, where) => `# left over: ${what}, since ${where} of faulty (faulty.so+N)`;
  const hub = '# test.yaml:5:15: was stopped in "call: faulty.ask": module faulty:';
  const cases = {
    'does everything right passes': ['none', ''],
    'leaves memory is told how much, and where it was taken': ['leak', life, left('100 bytes of memory', 'init')],
    'leaves memory when an allocation fails is told which': [
      'leak_on_failure', `${life}, with its allocation 2 of 2 failing`, left('40 bytes of memory', 'init')],
    'leaves a repeating timer': ['timer', life, left('a timer of every 1000 ms', 'start')],
    'leaves a descriptor watched': ['poll', life, left('descriptor N watched', 'start')],
    'leaves a subscription': ['subscription', life, left('the subscription "faulty"', 'start')],
    'leaves an operation': ['op', life, left('an operation that nobody completed or cancelled', 'start')],
    'leaves descriptors open': [
      'descriptor', life, '# left over: descriptor N open (pipe:[N])', '# left over: descriptor N open (pipe:[N])'],
    'leaves a thread': ['thread', life, '# left over: 1 thread still running'],
    'says that all is well though it got no memory': [
      'silent_on_failure', 'it is asked, with its allocation 3 of 3 failing', '# test.yaml:6:35: answer.calls: expected 0, got -1'],
    'never ends its stop': ['stop_never_ends', life, '# did not stop within 10 s'],
    'never ends its start': ['start_never_ends', life, '# it does not run: did not start within 60 s'],
    'hangs in its start': ['start_hangs', life, '# hangs in "init and start", in start of faulty'],
    'fails in its start': ['start_fails', life, '# it does not run: start failed: not permitted'],
    'changes its state before the last read': [
      'state', 'it is asked',
      `${hub} the handler of faulty.ask changes its module's state while it runs; use taut_at_end`],
    'asks for a service that it does not declare': [
      'undeclared', 'it is asked',
      '# the core found a fault: undeclared_service: asks for nobody/1, which is neither in its `needs` nor in its `wants`: it may start before the provider does; add it to one of them; if that is meant, a step "log: undeclared_service" says so'],
    'changes what is of its file and not of an instance': [
      'file_state', 'it is asked',
      `${hub} the handler of faulty.ask changes its module's state while it runs; use taut_at_end`],
    'causes something before the last read': [
      'effect', 'it is asked',
      `${hub} the handler of faulty.ask calls taut_timer_start() before its last read, taut_get(): what it causes there it causes again in each run`],
    'calls from a wrong thread': [
      'wrong_thread', 'it is asked',
      `${hub} taut_op_cancel() was called outside of the hub's thread; from other threads: taut_post it`],
    'frees memory twice': [
      'double_free', 'it is asked',
      `${hub} taut_free() of memory that it does not hold: freed before, or not from taut_alloc`],
    'completes an operation twice': [
      'op_twice', life, '# was stopped in "init and start": module faulty: completes an operation twice; its receiver ran at the first'],
    'never answers': [
      'never_answers', 'it is asked',
      '# test.yaml:5:15: there is no answer: its handler has returned TAUT_E_PENDING, and nobody has ended it since; when it waits for what comes later, say "pending: true" here and "answered:" then'],
    'does not come to rest': [
      'busy', life,
      '# does not come to rest: something posts itself again and again, repeats a timer of 0 ms, or does not read a watched descriptor',
      left('a taut_post that could not run any more', 'posted')],
  };
  for (const [name, [fault, ...expected]] of Object.entries(cases)) test(name, () => assert.deepEqual(verdict(fault), expected));

  // AddressSanitizer and UBSan say this in their own words.
  test('crashes when an allocation fails', () =>
    assert.deepEqual(verdict('crash_on_failure'), [
      `${life}, with its allocation 2 of 2 failing`,
      sanitized
        ? `# was stopped in "init and start": runtime error: store to null pointer of type 'char'`
        : '# crashed in "init and start": Segmentation fault, in init of faulty']));
  test('crashes when it is asked', () =>
    assert.deepEqual(verdict('wild_pointer').map((l) => l.replace(/ \(pc .*/, '')), [
      'it is asked',
      sanitized
        ? '# test.yaml:5:15: was stopped in "call: faulty.ask": ERROR: AddressSanitizer: SEGV on unknown address 0x000000000008'
        : '# test.yaml:5:15: crashed in "call: faulty.ask": Segmentation fault, in method faulty.ask of faulty']));
});

describe('a reader of the log that', () => {
  const says = (fault, steps) => {
    const r = run('--no-faults', '--only', 'reads', module('faulty'), script(`modules: [faulty: {fault: ${fault}}]
tests:
  - name: it reads
    steps:
      - event: {workspace: T7, topic: C1}
      - event: {workspace: T7, topic: C1}
      ${steps}
`));
    return r.out.split('\n').filter((l) => /^# \S/.test(l));
  };
  const left = '# left over: a hand-over of the subscription "faulty", events from 1 on of T7, whose op nobody completed';
  test('does not complete its hand-over has left it', () => assert.deepEqual(says('hand_over', ''), [left]));
  test('does not go on for a minute is told to the operator, then and not before', () =>
    assert.deepEqual(says('hand_over', `- advance: 59s
      - health: ok
      - advance: 2s
      - health: {level: degraded, code: reader_stuck, text: 'the reader "faulty" does not go on in T7: event 1 was handed over 61 s ago'}`), [left]));
  test('fails five times in a row is told to the operator', () =>
    assert.deepEqual(says('reader_fails', `- advance: 14s
      - health: ok
      - advance: 2s
      - health: {level: degraded, code: reader_stuck, text: 'the reader "faulty" does not go on in T7: event 1 has failed 5 times in a row'}`), []));
});

describe('the output', () => {
  test('is TAP, with a sum at its end', () => {
    assert.equal(run(module('faulty'), asked('none')).out, `ok 1 - faulty is a module
ok 2 - faulty begins and ends, twice
ok 3 - faulty begins and ends, twice, with each of its 2 allocations failing in turn
ok 4 - it is asked
ok 5 - it is asked, with each of its 2 allocations failing in turn
1..5
5 passed, 0 failed
`);
  });
  test('leaves out failing allocations, and other tests, when told so', () => {
    assert.equal(run('--no-faults', '--only', 'asked', module('faulty'), asked('none')).out, `ok 1 - faulty is a module
ok 2 - it is asked
1..2
2 passed, 0 failed
`);
  });
  test('names the log of a test that fails, and all of the log on demand', () => {
    const failed = run('--no-faults', module('faulty'), asked('start_fails')).out;
    assert.match(failed, /^# {3}log: faulty not_started: start failed: not permitted; the server goes on without it$/m);
    const all = run('--verbose', '--no-faults', '--only', 'reminds', module('guests'), `${scripts}/guests.yaml`).out;
    assert.match(all, /^# log: info guests reminder: number 3$/m);
  });
  test('says that a file is no module', () => {
    writeFileSync(join(folder, 'words.so'), 'these are words');
    assert.deepEqual(run('./words.so'), {
      code: 1, err: '',
      out: 'not ok 1 - words is a module\n# words.so: is cut off (15 bytes); install it again\n1..1\n0 passed, 1 failed\n',
    });
  });
});

describe('an expectation that is not met is shown with its place:', () => {
  const cases = [
    ['a text', '- call: guests.greet\n        args: {name: Ada}\n        answer: {text: "Hello*"}', 'test.yaml:6:24: answer.text: expected "Hello*", got "Good day, Ada!"'],
    ['a number', '- call: guests.state\n        answer: {reminders: 1}', 'test.yaml:5:29: answer.reminders: expected 1, got 0'],
    ['something that must not be there', '- call: guests.greet\n        args: {name: Ada}\n        answer: {text: }', 'test.yaml:6:24: answer.text: expected nothing, got "Good day, Ada!"'],
    ['an answer that comes later', '- call: guests.bell', 'test.yaml:4:15: there is no answer: it awaits "bell"; when it waits for what comes later, say "pending: true" here and "answered:" then'],
    ['an error', '- call: guests.greet', 'test.yaml:4:15: answer: expected ok, got {"ok":false,"error":"no_name"}'],
    ['a list', '- call: guests.list\n        answer: {guests: [{}]}', 'test.yaml:5:27: answer.guests[0]: expected one more item, got nothing'],
    ['an event', '- events: [{topic: x}]', 'test.yaml:4:18: events[0]: expected one more item, got nothing'],
    ['a line of the log', '- log: {event: reminder}', 'test.yaml:4:14: log: there is no such line; there is none'],
    ['health', '- health: {level: down}', 'test.yaml:4:17: health: expected {"level":"down"}, got {"level":"ok","notes":[]}'],
    ['a metric', '- metric: {name: greeted_total, value: 3}', 'test.yaml:4:46: metric: expected 3, got 0'],
    ['a status', '- request: GET /guests/', 'test.yaml:4:18: status: expected 200, got 404: nobody'],
    ['the output of a command', '- command: guests list\n        output: [a]', 'test.yaml:5:18: output: expected "a", got "guests: none"'],
    ['an option that needs a restart', '- reload: {limit: 7}', 'test.yaml:4:17: reload: modules.guests.limit cannot change without a restart'],
    ['what was not kept', '- call: guests.greet\n        args: {name: "${X}"}', 'test.yaml:5:22: nothing was kept as "X"'],
    ['a point at which nobody is', '- hook: message.edited', 'test.yaml:4:15: hook: no module has a function at "message.edited"'],
    ['a draft for an observer\'s point', '- hook: message.sent\n        draft: {text: x}', 'test.yaml:4:15: hook: a draft is what filters at message.before_send and message.before_edit are shown; others are driven by the module whose point it is (list it in "modules")'],
    ['a flag that is none', '- call: guests.state\n        as: {flags: [boss]}', 'test.yaml:5:22: flags: "boss" is not one of admin, owner, bot, operator, system'],
    ['a socket that is let in', '- connect: /guests-live/x\n        refused: 1008', 'test.yaml:5:18: connect: expected a refusal, got let in'],
    ['a frame', '- connect: /guests-live/x\n      - frame: hi\n        answer: {from: y}', 'test.yaml:6:24: answer.from: expected "y", got "x"'],
  ];
  test('a call that failed is shown with what it answered', () => {
    const r = run('--no-faults', '--only', 't', module('guests'), script('tests:\n  - name: t\n    steps:\n      - call: guests.greet\n        answer: {ok: true}\n'));
    assert.match(r.out, /^# test\.yaml:5:22: answer\.ok: expected true, got false\n# {3}it answered \{"ok":false,"error":"no_name"\}$/m);
  });
  for (const [name, step, expected] of cases)
    test(name, () => {
      const r = run('--no-faults', '--only', 't', module('guests'), script(`tests:\n  - name: t\n    steps:\n      ${step}\n`));
      assert.equal(r.err, '');
      assert.equal(r.out.split('\n').find((l) => l.startsWith('# test.yaml')), `# ${expected}`);
    });
});

describe('a script that is wrong', () => {
  const wrong = (text) => {
    const r = run(module('guests'), script(text));
    assert.equal(r.code, 2, r.out);
    return r.err.trimEnd().split('\n');
  };
  test('is told all that is wrong with it at once, and where', () => {
    assert.deepEqual(wrong(`testss: []
tests:
  - nam: x
    steps:
      - cal: x
      - call: {a: 1}
        arg: {}
      - log: {evnt: x}
      - wait
`), [
      'test.yaml:1:1: unknown section "testss"; did you mean "tests"?',
      'test.yaml:3:5: unknown part of a test: "nam"; did you mean "name"?',
      'test.yaml:3:5: this test has no name',
      'test.yaml:5:9: unknown step "cal"; did you mean "call"?',
      'test.yaml:6:15: "call" takes a text',
      'test.yaml:7:9: unknown part of "call": "arg"; did you mean "args"?',
      'test.yaml:8:15: unknown part of "log": "evnt"; did you mean "event"?',
      'test.yaml:9:9: a step is a map that begins with what is to happen, such as "call: METHOD"',
    ]);
  });
  test('is told of options and modules as taut.yaml is', () => {
    assert.deepEqual(wrong('modules:\n  - guests: {greting: x}\n  - faulti\ntests: []\n').map((l) => l.replace(/ \(modules are.*/, '')), [
      'test.yaml:2:14: modules.guests: unknown option "greting"; did you mean "greeting"?',
      'test.yaml:3:5: modules: there is no module "faulti"; did you mean "faulty"?',
    ]);
  });
  test('is told which rows do not fit', () => {
    assert.deepEqual(wrong('rows:\n  visit: [[a]]\n  visits: [[x, y], [x, 1, 2], []]\ntests: []\n'), [
      'test.yaml:2:10: there is no table "visit"; did you mean "visits"?',
      'test.yaml:3:16: column "visits" of table "guests_visits" takes a whole number',
      'test.yaml:3:27: table "guests_visits" has only 2 columns',
      'test.yaml:3:31: the key of table "guests_visits" has 1 columns',
    ]);
  });
  test('is told that it cannot be read', () => {
    assert.equal(run(module('guests'), 'nothing.yaml').err, 'nothing.yaml: cannot be read: No such file or directory\n');
  });
});

describe('the command line', () => {
  test('says what is wrong with it', () => {
    assert.deepEqual(run(), { code: 2, out: '', err: 'taut-modtest: which module? usage: taut-modtest MODULE.so [SCRIPT.yaml...]; see taut-modtest --help\n' });
    assert.equal(run('./nothing.so').err, 'taut-modtest: there is no file ./nothing.so; see taut-modtest --help\n');
    assert.equal(run('--patience', 'long', module('guests')).err, 'taut-modtest: --patience takes a time from 1s to 3600s, not long; see taut-modtest --help\n');
  });
  test('says that no test is meant', () => {
    const r = run('--only', 'nothing', module('faulty'), asked('none'));
    assert.deepEqual([r.code, r.err], [2, 'taut-modtest: no test has "nothing" in its name\n']);
  });
  test('explains itself', () => assert.match(run('--help').out, /^usage: taut-modtest \[OPTION\.\.\.\] MODULE\.so \[SCRIPT\.yaml\.\.\.\]$/m));
});
