// A configuration for a test's server.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

// What `taut demo` would run with, and these options.
export function configuration(server, file, settings) {
  const { bin, dir, port } = server.options;
  const yaml = execFileSync(bin, ['demo', '--data', dir, '--listen', `127.0.0.1:${port}`, '--print-config'], { encoding: 'utf8' });
  const names = Object.keys(settings);
  const kept = yaml.split('\n').filter((line) => !names.some((n) => line.startsWith(`  ${n}:`)));
  const lines = names.map((n) => `  ${n}: ${settings[n]}`);
  writeFileSync(file, kept.join('\n').replace(/^server:\n/m, `server:\n${lines.join('\n')}\n`));
  return file;
}
