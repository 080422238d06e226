/**
 * What: the browser that tests use, and sources made into a script for its pages.
 * Must not know: what is tested.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

/** A browser without a screen that asks nobody for anything. */
export const chromiumOptions = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** With an empty profile. @param more arguments for this browser alone. */
export function launchChromium(...more: string[]): Promise<Browser> {
  return chromium.launch({ ...chromiumOptions, args: [...chromiumOptions.args, ...more] });
}

/** @param source imports from `src/`; what it exports is in the page as `t`. */
export async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: join(import.meta.dirname, '../../src'), loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 't',
    target: 'es2022',
  });
  return outputFiles[0]!.text;
}
