/**
 * What: the attacks behind the published CVEs of WebSocket libraries on Node, tried on real sockets: who is attacked goes
 *   on serving. Those that concern a parser alone are tried where it is tested; docs/conformance.md lists all.
 * Must not know: how any of it is prevented.
 */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type ErrorEvent, WebSocket as StandardWebSocket } from '../../../src/entry/websocket.ts';
import { WebSocket, type WebSocketServer } from '../../../src/entry/ws.ts';
import { addressOf, close, listen, Scene, tautline } from './peers.ts';
import { answering, openRaw, type RawScene, type Role, upgradeRequest } from './raw-peer.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const roles: readonly Role[] = ['server', 'client'];
type Server = InstanceType<typeof WebSocketServer>;

async function serve(options = {}): Promise<Server> {
  const server = await listen(tautline, options);
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  cleanups.push(() => close(server));
  return server;
}

async function openScene(role: Role, options = {}, lines: readonly string[] = []): Promise<RawScene> {
  const scene = await openRaw(role, options, lines);
  cleanups.push(() => scene.end());
  return scene;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held of JavaScript's memory, rubbish left out. */
function heldMemory(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Sends a request and reads the answer's first line; empty when there is none. */
async function ask(server: Server, request: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
    if (answer.includes('\r\n\r\n')) socket.destroy();
  });
  socket.write(request);
  await once(socket, 'close');
  return answer.split('\r\n')[0]!;
}

/** That the server still serves. */
async function expectService(server: Server): Promise<void> {
  const client = new WebSocket(addressOf(server));
  await once(client, 'open');
  client.send('still there?');
  expect(String((await once(client, 'message'))[0])).toBe('still there?');
  client.close();
  await once(client, 'close');
}

describe('memory that was not initialised', () => {
  test('CVE-2016-10518 (ws): a number given to ping, pong and send is text, not a length', async () => {
    const scene = await Scene.open({ client: tautline, server: tautline });
    scene.peer.ping(100);
    scene.peer.pong(124);
    scene.peer.send(100_000);
    scene.peer.close();
    const { client } = await scene.finish();
    expect(client.slice(0, 3)).toEqual([
      'ping Buffer(100)',
      'pong Buffer(124)',
      'message Buffer(100000) false',
    ]);
  });

  test('CVE-2026-45736 (ws): the reason of a close frame may be any view, and is its bytes', async () => {
    for (const role of roles) {
      const { socket, read } = await openScene(role);
      socket.close(1000, new Float32Array(20) as unknown as Uint8Array);
      expect(await read(0x88)).toEqual(Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.alloc(80)]));
    }
  });
});

describe('a handshake that is meant to harm a server', () => {
  test('CVE-2024-37890 (ws): more header lines than are kept, with Upgrade and key behind them', async () => {
    const server = await serve();
    for (const count of [90, 1999, 2000, 2001, 5000]) {
      const many = Array.from({ length: count }, (_, i) => `x${i}: y`).join('\r\n');
      const request = upgradeRequest();
      const head = request.indexOf('\r\n', request.indexOf('Host')) + 2;
      const line = await ask(server, `${request.slice(0, head)}${many}\r\n${request.slice(head)}`);
      // Node keeps 2,000 fields and drops the others: then there is no upgrade to answer.
      expect(line).toMatch(/^(HTTP\/1\.1 (101|400|426|431) .*)?$/);
    }
    await expectService(server);
  });

  test.each([
    [
      'CVE-2021-32640 (ws): spaces without end in Sec-WebSocket-Protocol',
      'Sec-WebSocket-Protocol: b',
      ' ',
      'x',
    ],
    [
      'CVE-2020-7662 (websocket-extensions): a quoted value without end',
      'Sec-WebSocket-Extensions: a; b="',
      '\\c',
      '',
    ],
    [
      'CVE-2020-7662 (websocket-extensions): parameters without end',
      'Sec-WebSocket-Extensions: a',
      ';b',
      '=',
    ],
  ])('%s', async (_title, start, unit, end) => {
    const server = await serve({ perMessageDeflate: true });
    const line = `${start}${unit.repeat(14_000 / unit.length)}${end}`;
    expect(await ask(server, upgradeRequest(line))).toMatch(/^HTTP\/1\.1 400 /);
    await expectService(server);
  });

  test('GHSA-5v72-xg48-5rpm (ws, 2017): names of what every object has, as extensions and parameters', async () => {
    const server = await serve({ perMessageDeflate: true });
    for (const name of ['constructor', '__proto__', 'hasOwnProperty', 'toString', 'valueOf']) {
      for (const value of [name, `permessage-deflate; ${name}`, `${name}; ${name}=1, permessage-deflate`]) {
        expect(await ask(server, upgradeRequest(`Sec-WebSocket-Extensions: ${value}`))).toMatch(/ 101 /);
      }
    }
    await expectService(server);
  });

  test('CVE-2026-54466 (websocket-driver): a request of a draft whose lengths have no end is not answered as one', async () => {
    const server = await serve();
    const draft75 =
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nOrigin: http://a\r\n\r\n';
    expect(await ask(server, draft75)).toMatch(/^HTTP\/1\.1 400 /);
    const draft76 = draft75.replace(
      '\r\n\r\n',
      '\r\nSec-WebSocket-Key1: 1 2\r\nSec-WebSocket-Key2: 3 4\r\n\r\n12345678',
    );
    expect(await ask(server, draft76)).toMatch(/^HTTP\/1\.1 400 /);
    await expectService(server);
  });
});

describe.each(roles)('a peer that wants to exhaust a %s', (role) => {
  const continuation = 0x00;

  test('CVE-2016-10542 (ws): a frame larger than allowed is refused by its header', async () => {
    const { socket, raw, frame, read } = await openScene(role, { maxPayload: 1000, closeTimeout: 20 });
    const failed = once(socket, 'error');
    const header = frame(0x82, Buffer.alloc(0));
    header[1] = header[1]! | 127;
    const length = Buffer.from([0, 0, 0, 0, 0x10, 0, 0, 0]);
    raw.write(Buffer.concat([header.subarray(0, 2), length, header.subarray(2)]));
    expect((await failed)[0]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect((await read(0x88)).readUInt16BE()).toBe(1009);
  });

  test('CVE-2026-1528 (undici): a length of 64 bits is refused, whatever a number makes of it', async () => {
    for (const length of ['ffffffffffffffff', '8000000000000000', '0020000000000001']) {
      const { socket, raw, frame, read } = await openScene(role, { closeTimeout: 20 });
      const failed = once(socket, 'error');
      const header = frame(0x82, Buffer.alloc(0));
      header[1] = header[1]! | 127;
      raw.write(Buffer.concat([header.subarray(0, 2), Buffer.from(length, 'hex'), header.subarray(2)]));
      expect((await failed)[0]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH' });
      expect((await read(0x88)).readUInt16BE()).toBe(1009);
    }
  });

  test('CVE-2026-48779 (ws), CVE-2026-12151 (undici): fragments of one byte and of none cost what they are', async () => {
    const { socket, raw, frame } = await openScene(role);
    const count = 200_000;
    const fragments = Array.from({ length: count }, (_, i) => frame(continuation, i % 2 ? 'x' : ''));
    const wire = Buffer.concat([frame(0x01), ...fragments.splice(0), frame(0x8a)]);
    const before = heldMemory();
    const message = once(socket, 'message') as Promise<[Buffer]>;
    // A pong behind them all: they are there.
    const ponged = once(socket, 'pong');
    raw.write(wire);
    await ponged;
    // ws has kept a hundred bytes and more for each.
    expect(heldMemory() - before).toBeLessThan(count * 10);
    raw.write(frame(0x80));
    expect((await message)[0].length).toBe(count / 2);
  });

  test('CVE-2026-1526 (undici): what inflates without end is stopped at the limit', async () => {
    const { socket, raw, frame, read } = await openScene(
      role,
      { maxPayload: 100_000, perMessageDeflate: true, closeTimeout: 20 },
      ['Sec-WebSocket-Extensions: permessage-deflate'],
    );
    const failed = once(socket, 'error');
    // 1,000 zeros to the byte; in fragments that each are small.
    const bomb = deflateRawSync(Buffer.alloc(10_000_000));
    const parts = [frame(0x42, bomb.subarray(0, 100))];
    for (let at = 100; at < bomb.length; at += 100) {
      parts.push(frame(continuation, bomb.subarray(at, at + 100)));
    }
    raw.write(Buffer.concat(parts));
    expect((await failed)[0]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect((await read(0x88)).readUInt16BE()).toBe(1009);
  });
});

describe('a server that is meant to harm its clients', () => {
  test.each(['0', '7', '16', '1000', '-9', '9.5', '1e1', '', '99999999999999999999'])(
    'CVE-2026-2229 (undici): server_max_window_bits=%s fails the handshake with an error, and nothing more',
    async (bits) => {
      const answer = [`Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=${bits}`];
      for (const Class of [WebSocket, StandardWebSocket]) {
        const { server, address } = await answering(answer);
        const message = await new Promise<string>((resolve) => {
          const socket = new Class(address) as unknown as EventTarget;
          socket.addEventListener('error', (event) => resolve((event as unknown as ErrorEvent).message));
        });
        expect(message).toBe('Invalid Sec-WebSocket-Extensions header');
        await close(server);
      }
    },
  );

  test('CVE-2026-1527 (undici): no option of a client ends a header line', () => {
    const evil = 'a\r\nX-Smuggled: 1';
    for (const options of [{ origin: evil }, { headers: { Cookie: evil } }, { headers: { Upgrade: evil } }]) {
      expect(() => new WebSocket('ws://127.0.0.1:1', options)).toThrow(TypeError);
    }
    expect(() => new WebSocket('ws://127.0.0.1:1', evil)).toThrow(SyntaxError);
  });
});
