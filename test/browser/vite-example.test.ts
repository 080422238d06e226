/**
 * What: builds the example for Vite as its README says, and opens the page in Chromium.
 * Must not know: what Vite makes of the page.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from '../integration/examples/program.ts';
import { launchChromium } from './chromium.ts';

describe('the example for Vite', () => {
  it('is built with the browser client, and two pages see each other’s notes', async () => {
    const pages = await mkdtemp(join(tmpdir(), 'tautline-vite-'));
    onTestFinished(() => rm(pages, { recursive: true, force: true }));
    await build({
      root: join(import.meta.dirname, '../../examples/vite'),
      logLevel: 'error',
      build: { outDir: pages, emptyOutDir: true },
    });
    const url = await startProgram('examples/vite/server.mjs', { PAGES: pages });
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const errors: string[] = [];
    const open = async () => {
      const page = await browser.newPage();
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.goto(url.href);
      await page.getByText('connected', { exact: true }).waitFor();
      return page;
    };
    const [ada, bob] = [await open(), await open()];
    await ada.getByLabel('Note').fill('<b>hello</b>');
    await ada.getByRole('button').click();
    await ada.getByText('<b>hello</b> (delivered)').waitFor();
    await bob.getByText('<b>hello</b>', { exact: true }).waitFor();
    expect(await bob.locator('li').count()).toBe(1);
    expect(errors).toEqual([]);
  });
});
