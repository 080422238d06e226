/**
 * What: runs the same scripts with Chromium's WebSocket and with ours, against the same server, and compares what
 *   the scripts have seen.
 * Must not know: how either works.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CloseEvent,
  MessageEvent,
  WebSocket,
  WebSocketError,
  WebSocketStream,
} from '../../src/entry/websocket.ts';
import { launchChromium } from './chromium.ts';
import { closingScenarios } from './parity-closing-scenarios.ts';
import { differences } from './parity-differences.ts';
import { prelude, scenarios } from './parity-scenarios.ts';
import { ParityServer } from './parity-server.ts';
import { streamScenarios } from './parity-stream-scenarios.ts';

const server = new ParityServer();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await server.start();
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.port}/`);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

type Seen = (string | number)[];
/** In a page these are globals. */
const classes = { WebSocket, WebSocketStream, WebSocketError, MessageEvent, CloseEvent };

/** The function whose body is a script. */
async function inNode(script: string): Promise<Seen> {
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<Seen>;
  const run = new AsyncFunction(...Object.keys(classes), 'base', script);
  return await run(...Object.values(classes), `ws://127.0.0.1:${server.port}`);
}

async function inChromium(script: string): Promise<Seen> {
  const base = `ws://127.0.0.1:${server.port}`;
  return (await page.evaluate(`(async (base) => { ${script} })(${JSON.stringify(base)})`)) as Seen;
}

const complete = (script: string) => `${prelude}\n${script}\nreturn log;`;

describe('our WebSocket is seen as the one of Chromium', () => {
  it.each([...scenarios, ...closingScenarios])('$name', async ({ script }) => {
    const [ours, theirs] = await Promise.all([inNode(complete(script)), inChromium(complete(script))]);
    expect(theirs.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });
});

describe('our WebSocketStream is seen as the one of Chromium', () => {
  it.each(streamScenarios)('$name', async ({ script }) => {
    const [ours, theirs] = await Promise.all([inNode(complete(script)), inChromium(complete(script))]);
    expect(theirs.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });
});

describe('we differ from Chromium, knowingly:', () => {
  it.each(differences)('$name ($because)', async ({ script, ours, chromium: theirs }) => {
    expect(await inNode(complete(script))).toEqual(ours);
    expect(await inChromium(complete(script))).toEqual(theirs);
  });
});
