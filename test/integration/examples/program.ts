/**
 * What: starts a program that prints its address once it listens, and ends it with the test.
 * Must not know: what the program does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/**
 * @param path from the top of the repository.
 * @returns the address, with 127.0.0.1 in place of the host that it printed.
 */
export async function startProgram(path: string, env: Record<string, string> = {}): Promise<URL> {
  const child = spawn(process.execPath, [join(root, path)], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += String(text);
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${path} ended with ${code}: ${errors}`);
  });
  ended.catch(() => {});
  const [text] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
  const url = new URL(text.toString().trim());
  url.hostname = '127.0.0.1';
  return url;
}
