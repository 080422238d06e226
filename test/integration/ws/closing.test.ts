/**
 * What: RFC 6455 section 7 on real sockets, both roles: who ends TCP and when, time limits, ends that are none.
 * Must not know: how frames are parsed; the other end is a bare socket.
 */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { openRaw, type RawScene, type Role } from './raw-peer.ts';

const roles: readonly Role[] = ['server', 'client'];
const scenes: RawScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

async function open(role: Role, options: Parameters<typeof openRaw>[1] = {}): Promise<RawScene> {
  const scene = await openRaw(role, options);
  scenes.push(scene);
  return scene;
}

const close = 0x88;
const code1000 = Buffer.from([0x03, 0xe8]);

describe('behind both close frames', () => {
  test('RFC 6455 7.1.1: the server ends TCP, and waits for the client to do so', async () => {
    for (const begins of ['peer', 'us'] as const) {
      const { raw, frame, read, socket } = await open('server');
      const closed = once(socket, 'close');
      if (begins === 'us') socket.close(1000);
      else raw.write(frame(close, code1000));
      expect(await read(close)).toEqual(code1000);
      if (begins === 'us') raw.write(frame(close, code1000));
      // The bare end has said nothing of an end.
      await once(raw, 'end');
      expect(socket.readyState).toBe(2);
      raw.end();
      expect((await closed)[0]).toBe(1000);
    }
  });

  test('RFC 6455 7.1.1: the client leaves the ending of TCP to the server', async () => {
    for (const begins of ['peer', 'us'] as const) {
      const { raw, frame, read, socket } = await open('client');
      const order: string[] = [];
      raw.on('end', () => order.push('the client ended'));
      const closed = once(socket, 'close');
      if (begins === 'us') socket.close(1000);
      else raw.write(frame(close, code1000));
      expect(await read(close)).toEqual(code1000);
      if (begins === 'us') raw.write(frame(close, code1000));
      // Whatever the client did upon the close frame has arrived here before what comes now.
      while (socket.readyState === 1) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      order.push('the server ended');
      raw.end();
      expect((await closed)[0]).toBe(1000);
      await new Promise((resolve) => (raw.closed ? resolve(null) : raw.once('close', resolve)));
      expect(order).toEqual(['the server ended', 'the client ended']);
    }
  });

  test('RFC 6455 7.1.1: the client ends TCP itself when the server does not', async () => {
    const { raw, frame, read, socket } = await open('client', { closeTimeout: 20 });
    const closed = once(socket, 'close');
    raw.write(frame(close, code1000));
    await read(close);
    await once(raw, 'end');
    raw.end();
    expect((await closed)[0]).toBe(1000);
  });

  test('a server does not wait longer than closeTimeout for the client to end TCP', async () => {
    const { raw, frame, socket } = await open('server', { closeTimeout: 20 });
    const closed = once(socket, 'close');
    raw.write(frame(close, code1000));
    expect((await closed)[0]).toBe(1000);
  });
});

describe.each(roles)('a %s', (role) => {
  test('RFC 6455 7.1.3: whose close frame is not answered gives up after closeTimeout, with 1006', async () => {
    const { socket, read } = await open(role, { closeTimeout: 20 });
    const closed = once(socket, 'close');
    socket.close(1000, 'done');
    expect(await read(close)).toEqual(Buffer.concat([code1000, Buffer.from('done')]));
    expect((await closed)[0]).toBe(1006);
  });

  test('RFC 6455 7.1.5, 7.1.6: tells code and reason of the first close frame that comes', async () => {
    const { raw, frame, socket } = await open(role);
    const closed = once(socket, 'close');
    const first = frame(close, Buffer.from([0x0f, 0xa0, 0x68, 0x69]));
    raw.write(Buffer.concat([first, frame(close, code1000)]));
    raw.end();
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4000, 'hi']);
  });

  test('RFC 6455 7.1.5: takes an end of TCP without a close frame for 1006, and ends its own side', async () => {
    const { raw, socket } = await open(role);
    const [[code, reason]] = await Promise.all([
      once(socket, 'close') as Promise<[number, Buffer]>,
      once(raw, 'end'),
      raw.end(),
    ]);
    expect([code, reason.length]).toEqual([1006, 0]);
    expect(socket.failure).toBe(null);
  });

  test('RFC 6455 7.1.5: takes an end within a frame for 1006, and nothing of the frame for a message', async () => {
    const { raw, frame, socket } = await open(role);
    const seen: string[] = [];
    socket.on('message', (data) => seen.push(String(data)));
    const closed = once(socket, 'close');
    raw.write(frame(0x81, 'whole'));
    raw.end(frame(0x81, 'not whole').subarray(0, -1));
    expect((await closed)[0]).toBe(1006);
    expect(seen).toEqual(['whole']);
  });

  test('RFC 6455 7.2.2: takes a reset for 1006, and tells the cause', async () => {
    const { raw, socket } = await open(role);
    const closed = once(socket, 'close');
    raw.resetAndDestroy();
    expect((await closed)[0]).toBe(1006);
    expect(socket.failure).toMatchObject({ code: 'ECONNRESET' });
  });

  test('RFC 6455 7.1.7: takes nothing for a message that comes behind what made it fail', async () => {
    const { raw, frame, read, socket } = await open(role, { closeTimeout: 20 });
    const seen: string[] = [];
    socket.on('message', (data) => seen.push(String(data)));
    const failed = once(socket, 'error');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    raw.write(Buffer.concat([frame(0x81, 'before'), frame(0x83), frame(0x81, 'behind')]));
    await failed;
    expect((await read(close)).readUInt16BE()).toBe(1002);
    raw.write(frame(0x81, 'later'));
    expect(await closed).toBe(1006);
    expect(seen).toEqual(['before']);
  });
});
