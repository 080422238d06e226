/**
 * What: the room in real browsers: talking, drawing, reloading, a restart, the keyboard, all transports.
 * Must not know: how the room works inside; it sees what people see.
 */
import type { Browser, Page } from 'playwright-core';
import { io } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from './chromium.ts';
import { enter, type Guest, MiddleBox, RoomServer } from './room-server.ts';

const server = new RoomServer();
const middleBox = new MiddleBox(server);
let browser: Browser;
let guests: Guest[] = [];
let rooms = 0;

beforeAll(async () => {
  await server.start();
  await middleBox.start();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await middleBox.dispose();
  await server.dispose();
});

afterEach(async () => {
  const faults = guests.flatMap((guest) => guest.faults);
  await Promise.all(guests.map(({ page }) => page.context().close()));
  guests = [];
  middleBox.upgrades = false;
  middleBox.connections = true;
  // A test that failed between an end and a start shall not take the others with it.
  if (!server.isRunning) await server.start();
  expect(faults).toEqual([]);
});

/** A room that no other test has been in. */
const freshRoom = (): string => `/r/test-${++rooms}`;

async function join(
  path: string,
  name: string,
  {
    through = server as { address: string },
    ...options
  }: { through?: { address: string }; hasTouch?: boolean } = {},
): Promise<Page> {
  const guest = await enter(browser, `${through.address}${path}`, { name, ...options });
  guests.push(guest);
  await connected(guest.page);
  return guest.page;
}

const connected = (page: Page) => page.locator('#status[data-phase="connected"]').waitFor();
const transport = (page: Page, name: string) =>
  page.locator(`#status[data-phase="connected"][data-transport="${name}"]`).waitFor();

async function say(page: Page, text: string): Promise<void> {
  await page.fill('#message', text);
  await page.press('#message', 'Enter');
}

/** The texts in the log, as they stand. */
const texts = (page: Page) => page.locator('#messages .text').allInnerTexts();
const hears = (page: Page, text: string) => page.locator('#messages .text', { hasText: text }).waitFor();
const people = (page: Page) => page.locator('#people li').allInnerTexts();

type Point = [x: number, y: number];

/** Draws with the mouse through these points, each given in parts of the board. */
async function draw(page: Page, points: Point[], { lift = true } = {}): Promise<void> {
  const box = (await page.locator('#board').boundingBox())!;
  const [first, ...rest] = points.map(([x, y]): Point => [box.x + x * box.width, box.y + y * box.height]);
  await page.mouse.move(...first!);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point, { steps: 8 });
  if (lift) await page.mouse.up();
}

/** Whether something is drawn at this point of the board, given in parts of it. */
const inked = (page: Page, [x, y]: Point): Promise<boolean> =>
  page.evaluate(
    ([across, down]) => {
      const canvas = document.querySelector<HTMLCanvasElement>('#board')!;
      const left = Math.round(across * canvas.width) - 2;
      const top = Math.round(down * canvas.height) - 2;
      const pixels = canvas.getContext('2d')!.getImageData(left, top, 5, 5).data;
      return pixels.some((value, i) => i % 4 === 3 && value > 100);
    },
    [x, y] as const,
  );

const sees = (page: Page, point: Point) =>
  expect.poll(() => inked(page, point), { timeout: 10_000 }).toBe(true);
const seesNothing = (page: Page, point: Point) =>
  expect.poll(() => inked(page, point), { timeout: 10_000 }).toBe(false);

describe('two people in a room', () => {
  it('talk with each other, one over WebSocket and one whose network lets no WebSocket through', async () => {
    const path = freshRoom();
    const ada = await join(path, 'Ada');
    const grace = await join(path, 'Grace', { through: middleBox });
    await transport(ada, 'websocket');
    await say(ada, 'Can you read this?');
    await hears(grace, 'Can you read this?');
    await say(grace, 'Yes, and slowly.');
    await hears(ada, 'Yes, and slowly.');
    await say(ada, 'Good.');
    await hears(grace, 'Good.');
    const spoken = ['Can you read this?', 'Yes, and slowly.', 'Good.'];
    expect(await texts(ada)).toEqual(spoken);
    expect(await texts(grace)).toEqual(spoken);
    expect(await ada.textContent('#transport')).toBe('WebSocket');
    expect(await grace.textContent('#transport')).toBe('Server-sent events');
    expect(await grace.getAttribute('#status', 'data-transport')).toBe('sse');
    await grace.locator('#round-trip', { hasText: 'ms' }).waitFor();
  });

  it('see each other’s strokes while they are drawn, and so does who comes in between', async () => {
    const path = freshRoom();
    const ada = await join(path, 'Ada');
    const grace = await join(path, 'Grace', { through: middleBox });
    await draw(
      ada,
      [
        [0.2, 0.2],
        [0.5, 0.5],
      ],
      { lift: false },
    );
    await sees(grace, [0.35, 0.35]);
    const linus = await join(path, 'Linus');
    await sees(linus, [0.35, 0.35]);
    await ada.mouse.up();
    await draw(grace, [
      [0.2, 0.8],
      [0.8, 0.8],
    ]);
    for (const page of [ada, grace, linus]) {
      await sees(page, [0.5, 0.8]);
      await sees(page, [0.35, 0.35]);
      await seesNothing(page, [0.8, 0.2]);
    }
  });

  it('see who is here, who types, and who has another name now', async () => {
    const path = freshRoom();
    const ada = await join(path, 'Ada');
    await expect.poll(() => people(ada)).toEqual(['Ada (you)']);
    await ada.locator('#alone').waitFor();
    const grace = await join(path, 'Grace');
    await expect.poll(() => people(ada)).toEqual(['Ada (you)', 'Grace']);
    await expect.poll(() => people(grace)).toEqual(['Grace (you)', 'Ada']);
    await grace.locator('#message').pressSequentially('Hel');
    await ada.locator('#typing', { hasText: 'Grace' }).waitFor();
    await grace.locator('#message').press('Enter');
    await hears(ada, 'Hel');
    await expect.poll(() => ada.textContent('#typing')).toBe('');
    await grace.locator('#people button').click();
    await grace.fill('#name', '  Grace   Hopper ');
    await grace.press('#name', 'Enter');
    await expect.poll(() => people(ada)).toEqual(['Ada (you)', 'Grace Hopper']);
    await grace.close();
    await expect.poll(() => people(ada)).toEqual(['Ada (you)']);
  });

  it('erase, take back and draw again their own strokes, and clear everybody’s', async () => {
    const path = freshRoom();
    const ada = await join(path, 'Ada');
    const grace = await join(path, 'Grace');
    await draw(ada, [
      [0.2, 0.3],
      [0.8, 0.3],
    ]);
    await draw(grace, [
      [0.2, 0.6],
      [0.8, 0.6],
    ]);
    await sees(ada, [0.5, 0.6]);
    await ada.click('#undo');
    await seesNothing(grace, [0.5, 0.3]);
    await sees(grace, [0.5, 0.6]);
    expect(await ada.getAttribute('#undo', 'aria-disabled')).toBe('true');
    await ada.click('#redo');
    await sees(grace, [0.5, 0.3]);
    await ada.check('#inks label:last-of-type input');
    await draw(ada, [
      [0.5, 0.5],
      [0.5, 0.7],
    ]);
    await seesNothing(grace, [0.5, 0.6]);
    await sees(grace, [0.25, 0.6]);
    await grace.click('#clear');
    await grace.click('#confirm-clear button[value="clear"]');
    for (const page of [ada, grace]) {
      await seesNothing(page, [0.25, 0.6]);
      await seesNothing(page, [0.25, 0.3]);
      await page.locator('#empty-board').waitFor();
    }
  });

  it('show what others write as text, whatever it looks like', async () => {
    const path = freshRoom();
    const hostile = '<img src=x onerror="document.title=1"><b>bold</b>';
    const ada = await join(path, hostile.slice(0, 24));
    const grace = await join(path, 'Grace');
    await say(ada, hostile);
    await hears(grace, hostile);
    expect(await grace.locator('#messages img, #messages b, #people img').count()).toBe(0);
    expect(await people(grace)).toEqual(['Grace (you)', hostile.slice(0, 24)]);
  });
});

describe('a page', () => {
  it('keeps name, room, pen, what was said and what was drawn through a reload', async () => {
    const path = freshRoom();
    const ada = await join(path, 'Ada');
    await draw(ada, [
      [0.2, 0.5],
      [0.8, 0.5],
    ]);
    await say(ada, 'Before the reload');
    await ada.fill('#message', 'not sent yet');
    await ada.check('#inks label:nth-of-type(4) input');
    await expect.poll(() => ada.getAttribute('#waiting', 'data-count')).toBe('0');
    await ada.reload();
    await connected(ada);
    expect(new URL(ada.url()).pathname).toBe(path);
    await expect.poll(() => people(ada)).toEqual(['Ada (you)']);
    await hears(ada, 'Before the reload');
    expect(await ada.locator('#messages .mine').count()).toBe(1);
    expect(await ada.inputValue('#message')).toBe('not sent yet');
    expect(await ada.isChecked('#inks label:nth-of-type(4) input')).toBe(true);
    await sees(ada, [0.5, 0.5]);
    // It is still the same person's stroke.
    await ada.click('#undo');
    await seesNothing(ada, [0.5, 0.5]);
  });

  it('keeps what could not be sent through a reload, and sends it once', async () => {
    const path = freshRoom();
    const grace = await join(path, 'Grace');
    const ada = await join(path, 'Ada', { through: middleBox });
    middleBox.connections = false;
    await ada.selectOption('#way', 'polling');
    await ada.locator('#status[data-phase="waiting"]').waitFor();
    await say(ada, 'From the tunnel');
    await draw(ada, [
      [0.3, 0.3],
      [0.7, 0.3],
    ]);
    await ada.locator('#waiting', { hasText: '2 waiting' }).waitFor();
    await ada.reload();
    await ada.locator('#waiting', { hasText: '2 waiting' }).waitFor();
    await ada.locator('#messages .waiting', { hasText: 'From the tunnel' }).waitFor();
    middleBox.connections = true;
    await connected(ada);
    await sees(grace, [0.5, 0.3]);
    await say(ada, 'In the open');
    await hears(grace, 'In the open');
    for (const page of [ada, grace]) expect(await texts(page)).toEqual(['From the tunnel', 'In the open']);
  });

  it('connects in the way that is chosen, and keeps the choice', async () => {
    const page = await join(freshRoom(), 'Ada');
    await transport(page, 'websocket');
    for (const way of ['polling', 'sse', 'short-polling', 'websocket']) {
      await page.selectOption('#way', way);
      await transport(page, way);
      await say(page, `By ${way}`);
      await hears(page, `By ${way}`);
      await page.reload();
      await transport(page, way);
      expect(await page.inputValue('#way')).toBe(way);
    }
    await page.selectOption('#way', 'automatic');
    await transport(page, 'websocket');
    await page.locator('#round-trip', { hasText: 'ms' }).waitFor();
  });

  it('tells that the network is gone, and is back as soon as the network is', async () => {
    const path = freshRoom();
    const page = await join(path, 'Ada');
    const grace = await join(path, 'Grace');
    await page.selectOption('#way', 'polling');
    await transport(page, 'polling');
    await page.context().setOffline(true);
    await page.locator('#status[data-phase="offline"]').waitFor();
    expect(await page.textContent('#retry')).toBe('waiting for the network');
    await say(page, 'Meanwhile');
    await page.context().setOffline(false);
    await transport(page, 'polling');
    expect(await page.textContent('#retry')).toBe('');
    await say(page, 'Afterwards');
    await hears(grace, 'Afterwards');
    expect(await texts(grace)).toEqual(['Meanwhile', 'Afterwards']);
  });

  it('asks nobody but its own server for anything', async () => {
    const guest = await enter(browser, 'about:blank', { name: undefined });
    guests.push(guest);
    const hosts = new Set<string>();
    guest.page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await guest.page.goto(server.address);
    await connected(guest.page);
    expect(new URL(guest.page.url()).pathname).toBe('/r/lobby');
    expect([...hosts]).toEqual([`127.0.0.1:${server.port}`]);
  });

  it.each([
    { screen: 'desktop', width: 1440, height: 900 },
    { screen: 'phone', width: 390, height: 844 },
    { screen: 'phone on its side', width: 844, height: 390 },
    { screen: 'small phone', width: 320, height: 568 },
  ])('has all that can be pressed on the screen of a $screen', async ({ width, height }) => {
    const page = await join(freshRoom(), 'Ada');
    await page.setViewportSize({ width, height });
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('a, button, input, textarea, select, canvas')]
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        .filter(({ element, box }) => box.width > 0 && element.closest('dialog') === null)
        .filter(
          ({ box }) => box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight,
        )
        .map(({ element }) => element.id || element.outerHTML),
    );
    expect(outside).toEqual([]);
    const whole = await page.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      return [scrollWidth, scrollHeight];
    });
    expect(whole).toEqual([width, height]);
    const box = (await page.locator('#board').boundingBox())!;
    expect(box.width / box.height).toBeCloseTo(1.25, 1);
  });
});

describe('a server', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'that is ended by %s and started again loses nothing and doubles nothing',
    async (signal) => {
      const path = freshRoom();
      const ada = await join(path, 'Ada');
      const grace = await join(path, 'Grace', { through: middleBox });
      await transport(ada, 'websocket');
      await say(ada, 'one');
      await draw(ada, [
        [0.2, 0.2],
        [0.8, 0.2],
      ]);
      await hears(grace, 'one');
      await sees(grace, [0.5, 0.2]);
      // Others see a stroke before the server has confirmed it; what is not confirmed would wait as well.
      await expect.poll(() => ada.getAttribute('#waiting', 'data-count')).toBe('0');

      const code = await server.end(signal);
      if (signal === 'SIGTERM') expect(code).toBe(0);
      for (const page of [ada, grace]) {
        await page.locator('#status:is([data-phase="waiting"], [data-phase="trying"])').waitFor();
        await page.locator('#retry', { hasText: /^reconnecting (in \d+ s|now)$/ }).waitFor();
      }
      await say(ada, 'two');
      await say(ada, 'three');
      await draw(ada, [
        [0.2, 0.5],
        [0.8, 0.5],
      ]);
      await say(grace, 'four');
      await ada.locator('#waiting', { hasText: '3 waiting' }).waitFor();
      await grace.locator('#waiting', { hasText: '1 waiting' }).waitFor();

      await server.start();
      await Promise.all([connected(ada), connected(grace)]);
      await Promise.all([hears(ada, 'four'), hears(grace, 'three'), sees(grace, [0.5, 0.5])]);
      const linus = await join(path, 'Linus');
      await hears(linus, 'three');
      await sees(linus, [0.5, 0.2]);
      await sees(linus, [0.5, 0.5]);
      const heard = await texts(linus);
      expect([...heard].sort()).toEqual(['four', 'one', 'three', 'two']);
      expect(heard.filter((text) => text !== 'four')).toEqual(['one', 'two', 'three']);
      expect(await texts(ada)).toEqual(heard);
      expect(await texts(grace)).toEqual(heard);
      // A stroke that came twice would still be there after it was taken back once.
      await ada.click('#undo');
      await seesNothing(linus, [0.5, 0.5]);
      await sees(linus, [0.5, 0.2]);
    },
  );
});

describe('a program that is no page', () => {
  it('can send what it likes, and the room goes on', async () => {
    const path = freshRoom();
    const ada = await join(path, 'Ada');
    const auth = { room: path.slice(3), key: 'the-key-of-a-program', name: 'Program' };
    const socket = io(server.address, { auth, transports: ['websocket'], reconnection: false });
    await new Promise((resolve) => socket.once('welcome', resolve));
    await expect.poll(() => people(ada)).toEqual(['Ada (you)', 'Program']);
    const nonsense: unknown[] = [
      undefined,
      null,
      1,
      'x',
      [],
      {},
      [[[]]],
      { length: 1e9 },
      Array(1000).fill({}),
      Buffer.alloc(9),
    ];
    for (const event of [
      'operations',
      'draft',
      'cursor',
      'typing',
      'rename',
      'echo',
      'unknown',
      'toString',
    ]) {
      for (const value of nonsense) socket.emit(event, value);
      socket.emit(event);
      socket.emit(event, 1, 2, 3);
    }
    const refusals = await socket
      .timeout(10_000)
      .emitWithAck('operations', [null, { id: 'program-1.1', type: 'no' }]);
    expect(refusals).toEqual(['not a valid operation', 'not a valid operation']);
    const confirmed = await socket
      .timeout(10_000)
      .emitWithAck('operations', [{ id: 'program-1.2', type: 'say', text: 'Still here' }]);
    expect(confirmed).toEqual([null]);
    await hears(ada, 'Still here');
    expect(await texts(ada)).toEqual(['Still here']);
    // Of all that, one thing made sense: x is a name.
    expect(await people(ada)).toEqual(['Ada (you)', 'x']);
    socket.disconnect();
    await expect.poll(() => people(ada)).toEqual(['Ada (you)']);
  });

  it('is told why it may not enter', async () => {
    const socket = io(server.address, { auth: { room: '../etc' }, reconnection: false });
    const error = await new Promise<Error>((resolve) => socket.once('connect_error', resolve));
    expect(error.message).toBe('This page and the server do not understand each other.');
    socket.disconnect();
  });
});

describe('with the keyboard alone', () => {
  it('everything is reached by Tab, in the order in which it is seen', async () => {
    const page = await join(freshRoom(), 'Ada');
    const reached: string[] = [];
    for (let i = 0; i < 14; i += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(() => {
          const element = document.activeElement as HTMLElement;
          const outline = getComputedStyle(element).outlineStyle;
          return `${element.id || element.getAttribute('aria-label') || element.textContent.trim()} ${outline}`;
        }),
      );
    }
    expect(reached).toEqual(
      [
        'Tautline: to the lobby',
        'new-room',
        'invite',
        'open-help',
        'Ink',
        'Medium',
        'undo',
        'redo',
        'clear',
        'board',
        'Ada (you)',
        'log',
        'message',
        'send',
      ].map((name) => `${name} solid`),
    );
    await page.keyboard.press('Tab');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('way');
  });

  it('people draw, change the ink, take back, write, and find the help', async () => {
    const path = freshRoom();
    const grace = await join(path, 'Grace');
    const page = await join(path, 'Ada');
    const { keyboard } = page;
    const press = async (...keys: string[]) => {
      for (const key of keys) await keyboard.press(key);
    };
    await page.focus('#send');
    await press('Shift+Tab', 'Escape');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('board');
    await page.locator('#nib.by-keys').waitFor();

    // A hundredth of the board's width a step: from the middle to the right.
    await press('5', ']', 'Space', ...Array<string>(20).fill('ArrowRight'));
    await page.locator('#told', { hasText: 'Pen down' }).waitFor();
    await sees(grace, [0.6, 0.5]);
    await press('Space', 'ArrowDown');
    await page.locator('#told', { hasText: 'Pen up' }).waitFor();
    await sees(page, [0.6, 0.5]);
    expect(await page.isChecked('input[aria-label="Red"]')).toBe(true);
    expect(await page.isChecked('input[aria-label="Broad"]')).toBe(true);
    await press('Control+z');
    await seesNothing(grace, [0.6, 0.5]);
    await press('Control+Shift+z');
    await sees(grace, [0.6, 0.5]);

    await press('?');
    await page.locator('#help[open]').waitFor();
    await press('Escape');
    await page.locator('#help').waitFor({ state: 'hidden' });
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('board');

    await press('/');
    await keyboard.type('1 line? No, 2');
    await press('Shift+Enter');
    await keyboard.type('lines [e]');
    await press('Enter');
    await hears(grace, 'lines [e]');
    expect(await texts(grace)).toEqual(['1 line? No, 2\nlines [e]']);
    // What is written into the field is no shortcut.
    expect(await page.isChecked('input[aria-label="Red"]')).toBe(true);
  });
});
