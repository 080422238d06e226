/**
 * What: runs the same scripts with Chromium's EventSource and with ours, against the same server, and compares what
 *   the scripts have seen.
 * Must not know: how either works.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventSource, MessageEvent } from '../../src/entry/sse.ts';
import { launchChromium } from './chromium.ts';
import { sseDifferences } from './sse-parity-differences.ts';
import { ssePrelude, sseScenarios } from './sse-parity-scenarios.ts';
import { SseParityServer } from './sse-parity-server.ts';

const server = new SseParityServer();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await server.start();
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`${server.base(0)}/`);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

type Seen = (string | number)[];
/** In a page these are globals. */
const classes = { EventSource, MessageEvent };

async function inNode(script: string): Promise<Seen> {
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<Seen>;
  const run = new AsyncFunction(...Object.keys(classes), 'base', 'other', script);
  return await run(...Object.values(classes), server.base(0), server.base(1));
}

async function inChromium(script: string): Promise<Seen> {
  const bases = [server.base(0), server.base(1)].map((base) => JSON.stringify(base)).join(', ');
  return (await page.evaluate(`(async (base, other) => { ${script} })(${bases})`)) as Seen;
}

const complete = (script: string) => `${ssePrelude}\n${script}\nreturn log;`;

describe('our EventSource is seen as the one of Chromium', () => {
  it.each(sseScenarios)('$name', async ({ script }) => {
    const [ours, theirs] = await Promise.all([inNode(complete(script)), inChromium(complete(script))]);
    expect(theirs.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });
});

describe('we differ from Chromium, knowingly:', () => {
  it.each(sseDifferences)('$name ($because)', async ({ script, ours, chromium: theirs }) => {
    expect(await inNode(complete(script))).toEqual(ours);
    expect(await inChromium(complete(script))).toEqual(theirs);
  });
});
