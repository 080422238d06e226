/**
 * What: random and mutated input for the engine: its payload parser, and its server over raw sockets.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PeerError } from '../../src/base/errors.ts';
import { Server } from '../../src/engine/server/server.ts';
import { nodeByteCodec as codec } from '../../src/transport/platform/node-byte-codec.ts';
import type { IncomingPacket } from '../../src/wire/engine/codec.ts';
import { OutgoingPacket, PacketType } from '../../src/wire/engine/packet.ts';
import { decodePayload, encodePayload } from '../../src/wire/engine/payload.ts';
import { seconds } from './dice.ts';

/** So many runs from a fixed seed; with FUZZ_SECONDS as many as the time allows, from FUZZ_SEED. */
const effort = (numRuns: number): fc.Parameters<unknown> =>
  seconds === 0
    ? { numRuns, seed: 20_261_121 }
    : {
        numRuns: 1e9,
        seed: Number(process.env.FUZZ_SEED ?? 1),
        interruptAfterTimeLimit: seconds * 1000,
        markInterruptAsFailure: false,
      };

/** Text without the record separator, which a packet in a payload cannot hold. */
const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\x1e', ''));
const packet = fc.oneof(
  fc
    .tuple(fc.constantFrom(...Object.values(PacketType)), text)
    .map(([type, data]) => new OutgoingPacket(type, data)),
  fc.uint8Array({ maxLength: 60 }).map((data) => new OutgoingPacket(PacketType.message, data)),
);

describe('payloads', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 8 }), (packets) => {
        const read: unknown[] = [];
        const take = ({ type, data }: IncomingPacket): void => {
          read.push([type, typeof data === 'string' ? data : [...data]]);
        };
        decodePayload(encodePayload(packets, codec), codec, take, true);
        expect(read).toEqual(
          packets.map(({ type, data }) => [type, typeof data === 'string' ? data : [...data]]),
        );
      }),
      effort(2000),
    );
  });

  it('of any text are read, or refused as the fault of the peer', () => {
    const piece = fc.constantFrom('\x1e', 'b', 'AQID', '4', '0{', '=', '\ud800', 'é', '7', '\n', '2probe');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          decodePayload(pieces.join(''), codec, () => {});
        } catch (error) {
          expect(error).toBeInstanceOf(PeerError);
        }
      }),
      effort(5000),
    );
  });
});

describe('a server', () => {
  const http = createServer((_req, res) => res.writeHead(404).end());
  const engine = new Server({ maxHttpBufferSize: 500, cors: { origin: ['http://a'] } });
  let port = 0;
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => {
    uncaught.push(error);
  };

  beforeAll(async () => {
    process.on('uncaughtException', note);
    engine.attach(http);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    port = (http.address() as AddressInfo).port;
  });

  afterAll(async () => {
    process.off('uncaughtException', note);
    engine.close();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });

  /** Sends bytes in the given pieces, and resolves when the server has answered or ended. */
  function send(bytes: Buffer, cut: number): Promise<void> {
    return new Promise((resolve) => {
      const client = connect(port, '127.0.0.1');
      client.setNoDelay(true);
      client.on('error', () => {});
      client.on('data', () => client.destroy());
      client.on('close', () => resolve());
      client.write(bytes.subarray(0, cut));
      client.end(bytes.subarray(cut));
    });
  }

  async function session(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${port}/engine.io/?EIO=4&transport=polling`);
    return JSON.parse((await response.text()).slice(1)).sid;
  }

  it('takes any count in a query for what it is, and ends no other session for it', async () => {
    const url = `http://127.0.0.1:${port}/engine.io/?EIO=4&transport=polling`;
    const begin = async (): Promise<string> => {
      const response = await fetch(`${url}&tautline=1`);
      return JSON.parse((await response.text()).slice(1)).sid;
    };
    const bystander = await begin();
    const count = fc.oneof(
      fc.integer().map(String),
      fc.double().map(String),
      fc.bigInt().map(String),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        '',
        '0',
        '1',
        '2',
        '-0',
        '00',
        '1e0',
        '0x1',
        'NaN',
        '__proto__',
        'null',
        '9'.repeat(400),
      ),
    );
    const request = fc.record({
      name: fc.constantFrom('attach', 'from', 'tautline', 'sid'),
      value: count,
      isPost: fc.boolean(),
      transport: fc.constantFrom('polling', 'short-polling', 'websocket', 'sse', 'toString'),
      body: fc.constantFrom('4a', '', '7', '7x', '71', '7-1', '1', '4a\x1e70', '79\x1e4a'),
      lastEventId: fc.option(fc.constantFrom('0', '1', '-1', 'x', '99999999999999999999')),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ name, value, isPost, transport, body, lastEventId }) => {
        const sid = await begin();
        const query = `sid=${sid}&first=1&attach=0&from=0&${name}=${encodeURIComponent(value)}`;
        const to = `http://127.0.0.1:${port}/engine.io/?EIO=4&transport=${transport}&${query}`;
        const headers: Record<string, string> = lastEventId === null ? {} : { 'Last-Event-ID': lastEventId };
        let isAnswered = false;
        const answer = fetch(to, isPost ? { method: 'POST', body } : { headers }).finally(() => {
          isAnswered = true;
        });
        // What waits, waits for something to say.
        while (!isAnswered) {
          if (engine.clients[sid]?.transport.isWritable) engine.clients[sid]?.send('x');
          await new Promise((resolve) => setImmediate(resolve));
        }
        const response = await answer;
        expect([200, 400]).toContain(response.status);
        // First, since a stream ends with its session.
        engine.clients[sid]?.close(true);
        await response.text();
      }),
      { numRuns: 120 },
    );
    expect(uncaught).toEqual([]);
    engine.clients[bystander]!.send('x');
    expect(await (await fetch(`${url}&sid=${bystander}&attach=0`)).text()).toBe('70\x1e4x');
  });

  it('survives whatever is sent to it, and goes on serving', async () => {
    const methods = fc.constantFrom('GET', 'POST', 'OPTIONS', 'PUT', 'HEAD');
    const transports = fc.constantFrom('polling', 'websocket', '__proto__', '', 'sse');
    const sids = fc.constantFrom('mine', 'nope', '__proto__', '', 'none');
    const header = fc.constantFrom(
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Connection: close',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Key: x',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Extensions: permessage-deflate; a=',
      'Sec-WebSocket-Protocol: ,,',
      'Origin: http://a',
      'Origin: \xff\xfe',
      'Origin: null',
      'Content-Type: application/octet-stream',
      'Content-Length: 3',
      'Content-Length: 600',
      'Transfer-Encoding: chunked',
      'Accept-Encoding: gzip;q=1;;, *;q=',
      'Access-Control-Request-Headers: \xff, a',
      'Expect: 100-continue',
    );
    const body = fc.constantFrom(
      '',
      '4ab',
      '\x1e',
      'b!',
      '1',
      '3\r\n4ab\r\n0\r\n\r\n',
      '\x81\x81\0\0\0\x004',
      '\x81\xfe\xff',
    );
    await fc.assert(
      fc.asyncProperty(
        methods,
        transports,
        sids,
        fc.uniqueArray(header, { maxLength: 7 }),
        body,
        fc.nat({ max: 400 }),
        async (method, transport, sid, headers, payload, cut) => {
          const id = sid === 'mine' ? await session() : sid;
          const query = `EIO=4&transport=${transport}${sid === 'none' ? '' : `&sid=${id}`}`;
          const head = [`${method} /engine.io/?${query} HTTP/1.1`, 'Host: a', ...headers, '', ''].join(
            '\r\n',
          );
          await send(Buffer.from(head + payload, 'latin1'), cut);
          engine.clients[id]?.close(true);
        },
      ),
      { ...effort(400), timeout: 20_000 },
    );
    expect(uncaught).toEqual([]);
    const sid = await session();
    const answer = await fetch(`http://127.0.0.1:${port}/engine.io/?EIO=4&transport=polling&sid=${sid}`, {
      method: 'POST',
      body: '4still here',
    });
    expect(await answer.text()).toBe('ok');
  });
});
