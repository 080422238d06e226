// What: makes the pictures of the room in docs/images/, with real browsers in a real room.
// Must not know: how the room works; it clicks, types and draws as people do.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const target = process.argv[2] ?? fileURLToPath(new URL('../../docs/images/', import.meta.url));
const data = await mkdtemp(join(tmpdir(), 'tautline-room-pictures-'));
const server = spawn(process.execPath, [fileURLToPath(new URL('./server.mjs', import.meta.url))], {
  env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ROOM_DATA: data },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [printed] = await once(server.stdout, 'data');
const address = String(printed).match(/http:\S+/)[0];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});

/** A person in the room, with an own browser context: own storage, own window. */
async function enter(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  // A fixed key, so that the person has the same colour in every picture.
  await page.addInitScript((name) => {
    sessionStorage.setItem('tautline-room.name', JSON.stringify(name));
    sessionStorage.setItem('tautline-room.key', JSON.stringify(`a-key-of-${name}-in-pictures`));
  }, name);
  await page.goto(`${address}/r/harbour`);
  await page.locator('#status[data-phase="connected"]').waitFor();
  return page;
}

/** Waits until the round trip is measured on a machine that is not busy with opening windows. */
const calm = (page) =>
  page.waitForFunction(() => Number.parseFloat(document.getElementById('round-trip').textContent) < 5);

async function say(page, text) {
  await page.fill('#message', text);
  await page.press('#message', 'Enter');
  await page.getByText(text).last().waitFor();
}

/** Draws through these points, given in board units; leaves the pen down if `lift` is false. */
async function draw(page, { ink = 0, width = 1, points, lift = true }) {
  await page.check(`#inks label:nth-of-type(${ink + 1}) input`);
  await page.check(`#widths label:nth-of-type(${width + 1}) input`);
  const box = await page.locator('#board').boundingBox();
  const place = ([x, y]) => [box.x + (x / 4000) * box.width, box.y + (y / 3000) * box.height];
  await page.mouse.move(...place(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...place(point));
  if (lift) await page.mouse.up();
}

/** Points along a function of 0 to 1. */
const along = (steps, at) => Array.from({ length: steps + 1 }, (_, i) => at(i / steps));
const line = (...corners) => corners;
const arc = (x, y, rx, ry, from, to) =>
  along(24, (t) => [
    x + rx * Math.cos(from + (to - from) * t) + 6 * Math.sin(t * 31),
    y + ry * Math.sin(from + (to - from) * t) + 6 * Math.cos(t * 23),
  ]);

const ada = await enter('Ada');
const grace = await enter('Grace');
const linus = await enter('Linus');

// A harbour: a quay with a bollard, the water, a boat.
await draw(ada, { points: line([90, 1640], [300, 1632], [640, 1640]) });
await draw(ada, { points: line([640, 1640], [632, 2000], [644, 2500], [636, 2960]) });
await draw(ada, { width: 2, points: line([450, 1580], [452, 1490]) });
await draw(ada, { width: 2, points: line([400, 1470], [504, 1470]) });
for (const [y, from, to] of [
  [2330, 760, 3760],
  [2500, 900, 3500],
  [2670, 760, 3300],
]) {
  const points = along(90, (t) => [from + t * (to - from), y + 28 * Math.sin(t * 50 + y)]);
  await draw(ada, { ink: 1, width: 0, points });
}
await draw(grace, { ink: 4, points: arc(2200, 1800, 900, 440, 0.08, Math.PI - 0.08) });
await draw(grace, { ink: 4, points: line([1303, 1836], [1800, 1826], [2400, 1830], [3097, 1836]) });
await draw(grace, { points: line([2160, 1824], [2156, 1200], [2162, 560]) });
await draw(grace, { width: 0, points: along(20, (t) => [2210 + 700 * t, 620 + 1050 * t ** 1.3]) });
await draw(grace, { width: 0, points: line([2210, 620], [2208, 1100], [2212, 1690], [2910, 1670]) });
await draw(grace, { width: 0, points: along(20, (t) => [2110 - 520 * t, 790 + 880 * t ** 1.4]) });
await draw(grace, { width: 0, points: line([1590, 1670], [2108, 1690], [2110, 790]) });
await draw(linus, { ink: 3, width: 2, points: arc(3280, 640, 220, 220, 0, Math.PI * 2 + 0.1) });
for (const angle of [0.4, 1.2, 2, 2.8, 3.6, 4.4, 5.2, 6]) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  await draw(linus, {
    ink: 3,
    points: line([3280 + 320 * c, 640 + 320 * s], [3280 + 430 * c, 640 + 430 * s]),
  });
}
/** A gull, as children draw it. */
const gull = (x, y, size) =>
  along(24, (t) => [x + size * (t - 0.5), y - 0.3 * size * Math.abs(Math.sin(t * 2 * Math.PI)) ** 0.8]);
await draw(linus, { width: 0, points: gull(900, 640, 380) });

await say(ada, 'I have drawn the quay. Where does the boat go?');
await say(grace, 'In the middle, I’m on it.');
await say(grace, 'The mast is a bit tall, sorry.');
await say(linus, 'It was raining in my sketch, so here is a sun.');
await say(ada, 'Now the rope: from the bollard to the bow, and tight.');

// Two of them are drawing at this moment, and one is typing.
await draw(linus, { width: 0, points: gull(1320, 900, 300), lift: false });
await draw(grace, {
  ink: 2,
  points: along(30, (t) => [450 + 853 * t, 1530 + 306 * t + 40 * Math.sin(t * 3)]),
  lift: false,
});
await grace.locator('#message').focus();
await grace.keyboard.type('Left or right side?');
await ada.locator('#typing', { hasText: 'Grace' }).waitFor();
await calm(ada);
await ada.locator('#transport', { hasText: 'WebSocket' }).waitFor();
await ada.locator('#message').blur();
await ada.mouse.move(700, 20);
await ada.locator('.cursor', { hasText: 'Linus' }).waitFor();
await ada.screenshot({ path: join(target, 'room-desktop.png') });
if (process.argv[3] === 'all') {
  await ada.emulateMedia({ colorScheme: 'dark' });
  await ada.screenshot({ path: join(target, 'room-desktop-dark.png') });
}

const phone = await enter('Mary', {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
});
await calm(phone);
await phone.locator('#transport', { hasText: 'WebSocket' }).waitFor();
await phone.screenshot({ path: join(target, 'room-phone.png') });
if (process.argv[3] === 'all') {
  await phone.emulateMedia({ colorScheme: 'dark' });
  await phone.screenshot({ path: join(target, 'room-phone-dark.png') });
  await phone.emulateMedia({ colorScheme: 'light' });
  await phone.setViewportSize({ width: 390, height: 480 });
  await phone.locator('#message').focus();
  await phone.screenshot({ path: join(target, 'room-phone-keys.png') });
  await phone.setViewportSize({ width: 844, height: 390 });
  await phone.screenshot({ path: join(target, 'room-phone-side.png') });
  await ada.emulateMedia({ colorScheme: 'light' });
  await ada.click('#open-help');
  await ada.screenshot({ path: join(target, 'help.png') });
  await ada.goto(`${address}/r/empty`);
  await ada.locator('#empty-log').waitFor();
  await ada.locator('#board').focus();
  await ada.keyboard.press('ArrowRight');
  await ada.screenshot({ path: join(target, 'empty.png') });
}

await browser.close();
server.kill('SIGTERM');
await once(server, 'exit');
await rm(data, { recursive: true, force: true });
