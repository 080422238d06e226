/**
 * What: the same scenes with `ws` and with `tautline/ws` as client and server; what is observed must be the same.
 * Must not know: how either of them does it.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from '../../../src/entry/ws.ts';
import { type Pairing, pairings, Scene } from './peers.ts';

interface Scenario {
  readonly title: string;
  readonly options?: Parameters<typeof Scene.open>[1];
  /** Acts until both sides will close by themselves. */
  readonly act: (scene: Scene) => unknown;
  /** What the reference itself must show, as a guard against scenes in which nothing happens. */
  readonly shows: { client?: string[]; server?: string[] };
  /** What the peers of the reference may rightly do otherwise; its reason is beside it. */
  readonly tidy?: (lines: string[]) => string[];
}

const echo = (socket: WebSocket) => {
  socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
};
const next = (socket: WebSocket, event: 'message' | 'ping' | 'pong' | 'close') =>
  new Promise<unknown[]>((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));
/** Ours tells the peer what was wrong, `ws` sends the code alone: a reason for people costs nothing. */
const withoutRefusalReason = (lines: string[]) =>
  lines.map((line) => line.replace(/^close (100[2789]) Buffer\(.+\)/, 'close $1 Buffer()'));

const scenarios: Scenario[] = [
  {
    title: 'text and bytes of each kind arrive as they were given',
    act: async ({ client, peer }) => {
      client.send('text');
      client.send(42);
      client.send('');
      client.send(null);
      client.send(undefined);
      client.send(Buffer.from('buffer'));
      client.send(new Uint16Array([0x6162, 0x6364]).subarray(1));
      client.send(new Uint8Array([65, 66, 67]).buffer);
      client.send(new DataView(new Uint8Array([65, 66, 67, 68]).buffer, 1, 2));
      client.send([97, 98]);
      client.send('as binary', { binary: true });
      client.send(Buffer.from('as text'), { binary: false });
      client.send('grüße 你好 🎈');
      peer.on('message', (data) => {
        if (data.toString() === 'grüße 你好 🎈') peer.close(1000);
      });
    },
    shows: { server: ['message Buffer(text) false', 'message Buffer(42) false', 'message Buffer(ab) true'] },
  },
  {
    title: 'a message in fragments arrives whole, with a ping between them',
    act: ({ client, peer }) => {
      client.send('frag', { fin: false });
      client.ping('between');
      client.send('men', { fin: false });
      client.send('ts', { fin: true });
      client.send('whole');
      peer.on('message', (data) => {
        if (data.toString() === 'whole') peer.close();
      });
    },
    shows: {
      server: ['ping Buffer(between)', 'message Buffer(fragments) false', 'message Buffer(whole) false'],
    },
  },
  {
    title: 'pings are answered with their payload',
    act: async ({ client, peer }) => {
      client.ping('a');
      client.ping();
      client.ping(7);
      client.ping(Buffer.alloc(125, 'x'));
      let pongs = 0;
      await new Promise<void>((resolve) => client.on('pong', () => ++pongs === 4 && resolve()));
      peer.ping('back');
      await next(peer, 'pong');
      client.pong('unasked');
      await next(peer, 'pong');
      client.close(1000, 'done');
    },
    shows: { server: ['ping Buffer(a)', 'ping Buffer()', 'ping Buffer(7)', 'pong Buffer(unasked)'] },
  },
  {
    title: 'with autoPong off pings arrive and are not answered',
    options: { server: { autoPong: false } },
    act: async ({ client, peer }) => {
      client.ping('unanswered');
      await next(peer, 'ping');
      peer.close(4000, 'end');
    },
    shows: { server: ['ping Buffer(unanswered)'], client: ['close 4000 Buffer(end) state 3'] },
  },
  ...(
    [
      ['without a code', []],
      ['with a code', [1000]],
      ['with a code and a reason', [1001, 'going away']],
      ['with a private code', [4999, 'näher']],
      ['with 1013', [1013]],
      ['with 1014', [1014, 'bad gateway']],
      ['with a Buffer as the reason', [3000, Buffer.from('bytes')]],
    ] as [string, [number?, (string | Buffer)?]][]
  ).flatMap(([title, args]): Scenario[] => [
    {
      title: `the client closes ${title}`,
      act: ({ client }) => client.close(...args),
      shows: {},
    },
    {
      title: `the server closes ${title}`,
      act: ({ peer }) => peer.close(...args),
      shows: {},
    },
  ]),
  {
    title: 'both close at once',
    act: ({ client, peer }) => {
      client.close(4001, 'client');
      peer.close(4002, 'server');
    },
    shows: { client: ['close 4002 Buffer(server) state 3'], server: ['close 4001 Buffer(client) state 3'] },
  },
  {
    title: 'what was sent before close arrives before it, and close may be called again',
    act: ({ client }) => {
      client.send('one');
      client.send(Buffer.alloc(100_000, 1));
      client.send('three');
      client.close(1000);
      client.close(1001);
    },
    shows: { server: ['message Buffer(one) false', 'close 1000 Buffer() state 3'] },
  },
  {
    title: 'terminate ends without a closing handshake',
    act: ({ client }) => {
      client.terminate();
      client.terminate();
    },
    shows: { client: ['close 1006 Buffer() state 3'], server: ['close 1006 Buffer() state 3'] },
  },
  {
    title: 'what was sent before terminate in the same turn still leaves',
    act: ({ peer }) => {
      peer.send('last words');
      peer.terminate();
    },
    shows: { client: ['message Buffer(last words) false', 'close 1006 Buffer() state 3'] },
  },
  {
    title: 'sending too late calls back with the state and counts the bytes',
    act: async ({ client, peer, atClient }) => {
      peer.close(1000);
      await next(client, 'close');
      const before = client.bufferedAmount;
      client.send('späť', (error) => atClient.note('callback', error));
      client.ping(Buffer.alloc(3), (error) => atClient.note('callback', error) as never);
      client.pong('22', true, (error) => atClient.note('callback', error));
      client.send(12345);
      client.send(null);
      client.close(1005);
      atClient.note('more by', client.bufferedAmount - before);
      await new Promise((resolve) => setImmediate(resolve));
    },
    shows: {
      client: ['more by 16', 'callback Error(WebSocket is not open: readyState 3 (CLOSED))'],
    },
  },
  {
    title: 'sending while closing calls back with that state',
    act: async ({ client, atClient }) => {
      client.close();
      client.send('too late', (error) => atClient.note('callback', error));
      atClient.note('state', client.readyState, client.bufferedAmount > 0);
      await next(client, 'close');
    },
    shows: { client: ['state 2 true', 'callback Error(WebSocket is not open: readyState 2 (CLOSING))'] },
  },
  {
    title: 'impossible arguments throw, and the connection goes on',
    act: async ({ client, peer, atClient }) => {
      const attempt = (name: string, action: () => void) => {
        try {
          action();
          atClient.note(name, 'went well');
        } catch (error) {
          atClient.note(name, error, 'state', client.readyState);
        }
      };
      attempt('ping of 126', () => client.ping('x'.repeat(126)));
      attempt('pong of 126', () => client.pong(Buffer.alloc(126)));
      attempt('close 1004', () => client.close(1004));
      attempt('close 1005', () => client.close(1005));
      attempt('close 1006', () => client.close(1006));
      attempt('close 1015', () => client.close(1015));
      attempt('close 999', () => client.close(999));
      attempt('close 2999', () => client.close(2999));
      attempt('close 5000', () => client.close(5000));
      attempt('close of text', () => client.close('1000' as never));
      attempt('long reason', () => client.close(1000, 'ü'.repeat(62)));
      attempt('send of an object', () => client.send({} as never));
      client.send('still here');
      await next(peer, 'message');
      peer.close(1000);
    },
    shows: {
      client: [
        'ping of 126 RangeError(The data size must not be greater than 125 bytes) state 1',
        'close 1004 TypeError(First argument must be a valid error code number) state 1',
        'long reason RangeError(The message must not be greater than 123 bytes) state 1',
      ],
      server: ['message Buffer(still here) false'],
    },
  },
  {
    title: 'callbacks of send come in order, after what was sent before',
    act: async ({ client, peer, atClient }) => {
      for (const name of ['a', 'b', 'c']) client.send(name, () => atClient.note('sent', name));
      await next(peer, 'message');
      await new Promise<void>((resolve) => client.send('d', {}, () => resolve()));
      atClient.note('sent d', client.bufferedAmount);
      client.close();
    },
    shows: { client: ['sent a', 'sent b', 'sent c', 'sent d 0'] },
  },
  {
    title: 'a Blob keeps its place among messages',
    act: async ({ client, peer, atClient }) => {
      client.send('before');
      client.send(new Blob(['the blob']), (error) => atClient.note('blob sent', error ?? 'well'));
      atClient.note('buffered', client.bufferedAmount >= 8);
      client.send('after', (error) => atClient.note('after sent', error ?? 'well'));
      client.ping('p');
      client.close(1000, 'end');
      await next(peer, 'close');
    },
    shows: {
      server: [
        'message Buffer(before) false',
        'message Buffer(the blob) true',
        'message Buffer(after) false',
        'ping Buffer(p)',
        'close 1000 Buffer(end) state 3',
      ],
    },
  },
  {
    title: 'a connection that ends while a Blob is read tells the callbacks',
    act: async ({ client, atClient }) => {
      const noted = new Promise<void>((resolve) => {
        client.send(new Blob(['the blob']), (error) => atClient.note('blob', error));
        client.send('after', (error) => {
          atClient.note('after', error);
          resolve();
        });
      });
      client.terminate();
      await noted;
    },
    shows: { client: ['blob Error(The socket was closed while the blob was being read)'] },
    // Whether the callbacks or `close` come first depends on the reading of the Blob.
    tidy: (lines) => lines.toSorted(),
  },
  ...(['nodebuffer', 'arraybuffer', 'fragments'] as const).map(
    (binaryType): Scenario => ({
      title: `binary messages arrive as ${binaryType}, text as a Buffer`,
      act: async ({ client, peer, atClient }) => {
        client.binaryType = binaryType;
        peer.send(Buffer.from('one'));
        await next(client, 'message');
        peer.send('two');
        await next(client, 'message');
        client.onmessage = ({ data }) => atClient.note('handler', data);
        peer.send(Buffer.from('three'));
        await next(client, 'message');
        peer.send('four');
        await next(client, 'message');
        client.binaryType = 'something else' as never;
        atClient.note(client.binaryType);
        client.close();
      },
      shows: { client: [binaryType, 'handler four'] },
    }),
  ),
  {
    title: 'binary messages arrive as Blobs',
    act: async ({ client, peer, atClient }) => {
      client.binaryType = 'blob' as never;
      peer.send(Buffer.from('one'));
      const [data] = (await next(client, 'message')) as [Blob];
      atClient.note(data, data.size, await data.text());
      client.close();
    },
    shows: { client: ['Blob 3 one'] },
  },
  {
    title: 'messages of many sizes come back as they went',
    act: async ({ client, peer }) => {
      echo(peer);
      for (const size of [
        0, 1, 125, 126, 127, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_000, 2_000_000,
      ]) {
        const message = randomBytes(size);
        client.send(message);
        const [back, isBinary] = (await next(client, 'message')) as [Buffer, boolean];
        expect(isBinary).toBe(true);
        expect(message.equals(back)).toBe(true);
      }
      client.close(1000);
    },
    shows: {},
    // Random bytes.
    tidy: (lines) => lines.filter((line) => !line.startsWith('message')),
  },
  {
    title: 'a message above the limit is refused with 1009',
    options: { server: { maxPayload: 100 } },
    act: ({ client }) => client.send('x'.repeat(101)),
    shows: {
      client: ['close 1009 Buffer() state 3'],
      server: [
        'error RangeError(Max payload size exceeded, WS_ERR_UNSUPPORTED_MESSAGE_LENGTH) state 2',
        'close 1006 Buffer() state 3',
      ],
    },
  },
  {
    title: 'a client refuses a message above its limit, in fragments too',
    options: { client: { maxPayload: 100 } },
    act: ({ peer }) => {
      peer.send('x'.repeat(60), { fin: false });
      peer.send('x'.repeat(60));
    },
    shows: { server: ['close 1009 Buffer() state 3'] },
  },
  {
    title: 'the sender of a close frame gets the code that the receiver answers with',
    act: async ({ client, peer, atServer }) => {
      peer.on('close', () => atServer.note('handler knows', peer.readyState));
      client.onclose = ({ code, reason, wasClean, type }) =>
        atServer.note('closed', code, reason, wasClean, type);
      client.close(3999, 'why');
    },
    shows: { server: ['closed 3999 why true close'] },
    // The two sides close in an order that is nobody's promise.
    tidy: (lines) => lines.toSorted(),
  },
  {
    title: 'pause holds messages back and resume lets them come',
    act: async ({ client, peer, atServer }) => {
      peer.pause();
      atServer.note('paused', peer.isPaused);
      client.send('held');
      client.ping();
      // What comes back on another way shows that the message has had its time.
      peer.ping('round trip');
      await next(client, 'ping');
      atServer.note('resumed');
      peer.resume();
      atServer.note('paused', peer.isPaused);
      await next(peer, 'message');
      peer.close();
    },
    shows: { server: ['paused true', 'resumed', 'paused false', 'message Buffer(held) false'] },
    tidy: (lines) => lines.filter((line) => !line.startsWith('p') || line.startsWith('paused')),
  },
  {
    title: 'a paused side still gets what came before the end',
    act: async ({ client, peer }) => {
      peer.pause();
      client.send('held');
      client.terminate();
      await next(client, 'close');
      peer.resume();
      await next(peer, 'close');
    },
    shows: { server: ['message Buffer(held) false', 'close 1006 Buffer() state 3'] },
  },
  {
    title: 'closing from within a message listener does not lose what came with it',
    act: async ({ client, peer, atServer }) => {
      peer.once('message', () => {
        peer.close(1000, 'enough');
        atServer.note('closing', peer.readyState);
      });
      client.send('one');
      client.send('two');
      client.send('three');
      await next(peer, 'close');
    },
    shows: {
      server: [
        'message Buffer(one) false',
        'closing 2',
        'message Buffer(two) false',
        'message Buffer(three) false',
      ],
    },
  },
  {
    title: 'one event a turn without allowSynchronousEvents',
    options: { server: { allowSynchronousEvents: false } },
    act: async ({ client, peer, atServer }) => {
      peer.on('message', () => {
        queueMicrotask(() => atServer.note('microtask'));
      });
      client.send('one');
      client.send('two');
      client.send('three');
      client.close();
      await next(peer, 'close');
    },
    shows: {
      server: [
        'message Buffer(one) false',
        'microtask',
        'message Buffer(two) false',
        'microtask',
        'message Buffer(three) false',
      ],
    },
  },
  {
    title: 'a masked frame to a client is refused, an unmasked one to a server too',
    act: ({ client }) => client.send('unmasked', { mask: false }),
    shows: {
      client: ['close 1002 Buffer() state 3'],
      server: ['error RangeError(Invalid WebSocket frame: MASK must be set, WS_ERR_EXPECTED_MASK) state 2'],
    },
  },
  {
    title: 'a server that masks is refused',
    act: ({ peer }) => {
      peer.send('masked', { mask: true });
    },
    shows: {
      client: [
        'error RangeError(Invalid WebSocket frame: MASK must be clear, WS_ERR_UNEXPECTED_MASK) state 2',
      ],
    },
  },
  ...(
    [
      ['both defaults', true, true],
      [
        'no context takeover',
        { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 },
        true,
      ],
      ['small windows', { serverMaxWindowBits: 9, clientMaxWindowBits: 10, threshold: 0 }, true],
      ['windows of 8', { serverMaxWindowBits: 8, clientMaxWindowBits: 8, threshold: 0 }, true],
    ] as const
  ).map(
    ([title, server, client]): Scenario => ({
      title: `compressed messages come back as they went, with ${title}`,
      options: { server: { perMessageDeflate: server }, client: { perMessageDeflate: client } },
      act: async ({ client, peer, atClient }) => {
        echo(peer);
        atClient.note(client.extensions, peer.extensions);
        for (const message of [
          '',
          'short',
          'a'.repeat(5000),
          'ab'.repeat(40_000),
          'short',
          'a'.repeat(5000),
        ]) {
          client.send(message);
          const [back] = (await next(client, 'message')) as [Buffer];
          expect(back.toString()).toBe(message);
        }
        client.send('frag', { fin: false, compress: true });
        client.send('ments', { fin: true, compress: true });
        await next(client, 'message');
        client.send('not compressed', { compress: false });
        await next(client, 'message');
        client.close();
      },
      shows: { client: ['permessage-deflate permessage-deflate', 'message Buffer(fragments) false'] },
    }),
  ),
  {
    title: 'a compressed message is limited by what it inflates to',
    options: { server: { perMessageDeflate: true, maxPayload: 1000 }, client: { perMessageDeflate: true } },
    act: ({ client }) => client.send('a'.repeat(100_000)),
    shows: {
      client: ['close 1009 Buffer() state 3'],
      server: ['error RangeError(Max payload size exceeded, WS_ERR_UNSUPPORTED_MESSAGE_LENGTH) state 2'],
    },
  },
  {
    title: 'bufferedAmount counts what is queued by its payload',
    options: {
      server: { perMessageDeflate: true },
      client: { perMessageDeflate: { threshold: 0 } },
    },
    act: async ({ client, atClient }) => {
      atClient.note(client.bufferedAmount);
      client.send('foo');
      atClient.note(client.bufferedAmount);
      await new Promise<void>((resolve) => {
        client.send('bar', (error) => {
          atClient.note('sent', error ?? 'well', client.bufferedAmount);
          resolve();
        });
        atClient.note(client.bufferedAmount);
      });
      client.close();
    },
    shows: { client: ['0', '3', '6', 'sent well 0'] },
  },
];

async function play(scenario: Scenario, pairing: Pairing) {
  const scene = await Scene.open(pairing, scenario.options);
  await scenario.act(scene);
  const { client, server } = await scene.finish();
  const tidy = scenario.tidy ?? ((lines: string[]) => lines);
  return { client: tidy(withoutRefusalReason(client)), server: tidy(withoutRefusalReason(server)) };
}

describe.each(scenarios)('$title', (scenario) => {
  let reference: ReturnType<typeof play> | undefined;
  const referenceShown = () => {
    reference ??= play(scenario, pairings[0]!);
    return reference;
  };

  test('ws itself shows what the scene is about', async () => {
    const seen = await referenceShown();
    expect(seen.client).toEqual(expect.arrayContaining(scenario.shows.client ?? []));
    expect(seen.server).toEqual(expect.arrayContaining(scenario.shows.server ?? []));
  });

  test.each(pairings.slice(1))(
    'the same with $client.name as client and $server.name as server',
    async (pairing) => {
      expect(await play(scenario, pairing)).toEqual(await referenceShown());
    },
  );
});
