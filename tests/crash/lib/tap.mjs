// Lines of the Test Anything Protocol, and the closing "N passed, N failed".
let passed = 0;
let failed = 0;

export function ok(good, sentence, detail = '') {
  if (good) passed++;
  else failed++;
  console.log(`${good ? 'ok' : 'not ok'} ${passed + failed} - ${sentence}`);
  if (!good && detail) console.log(String(detail).replace(/^/gm, '  # '));
  return good;
}

export function note(text) {
  console.log(String(text).replace(/^/gm, '# '));
}

// Runs body; what it throws is a failed test.
export async function test(sentence, body) {
  try {
    await body();
    return ok(true, sentence);
  } catch (e) {
    return ok(false, sentence, e.stack ?? e);
  }
}

export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
