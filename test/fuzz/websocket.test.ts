/**
 * Bytes that nobody would send on purpose, to the WebSocket floors. A failure names its seed; add it to `seeds`.
 * `FUZZ_SECONDS=60 npx vitest run --project fuzz` goes on that long with each target, from the last seed on.
 */
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PeerError } from '../../src/base/errors.ts';
import type { ByteCodec } from '../../src/base/port.ts';
import { portableByteCodec } from '../../src/base/portable-byte-codec.ts';
import { ClientHandshake } from '../../src/protocol/websocket/client-handshake.ts';
import type { Delivery, Role } from '../../src/protocol/websocket/connection.ts';
import { checkUpgradeRequest } from '../../src/protocol/websocket/server-handshake.ts';
import { nodeByteCodec } from '../../src/transport/platform/node-byte-codec.ts';
import { NodeDeflate } from '../../src/transport/platform/node-deflate.ts';
import { HeadCollector } from '../../src/wire/http/head-collector.ts';
import type { HeaderFields } from '../../src/wire/http/header-fields.ts';
import { formatRequestHead, parseRequestHead } from '../../src/wire/http/request-head.ts';
import { formatResponseHead, parseResponseHead } from '../../src/wire/http/response-head.ts';
import { listHasToken, parseUniqueTokens } from '../../src/wire/http/token-list.ts';
import { formatExtensions, parseExtensions } from '../../src/wire/websocket/extension-header.ts';
import { concatLarge, frame, type Overrides, open, readFrames } from '../unit/protocol/websocket/harness.ts';
import { type Dice, fuzz, timeout } from './dice.ts';

function deflated(data: Uint8Array): Uint8Array {
  const whole = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH });
  return Uint8Array.from(whole.subarray(0, whole.length - 4));
}

/** Frames, most of them nearly legal. */
function someWire(dice: Dice, sender: Role, mayDeflate: boolean): Uint8Array {
  const frames: Uint8Array[] = [];
  const count = 1 + dice.roll(6);
  for (let i = 0; i < count; i++) {
    const length = dice.pick([0, 1, 2, 5, 30, 125, 126, 300, 70_000]);
    const isText = dice.roll(2) === 0;
    let payload = isText
      ? new Uint8Array(length).fill(0x61 + dice.roll(20))
      : dice.bytes(Math.min(length, 400));
    const rsv1 = mayDeflate && dice.roll(2) === 0;
    if (rsv1 && dice.roll(8) > 0) payload = deflated(payload);
    const opcode = dice.pick([0, 1, 1, 2, 2, 8, 9, 10, dice.roll(16)]);
    frames.push(
      frame(sender, {
        opcode,
        payload: opcode >= 8 ? payload.slice(0, dice.pick([0, 2, 60, 125, 126])) : payload,
        fin: dice.roll(4) > 0,
        rsv1,
        rsv2: dice.roll(60) === 0,
        rsv3: dice.roll(60) === 0,
        ...(dice.roll(40) === 0 ? { masked: dice.roll(2) === 0 } : {}),
        ...(dice.roll(40) === 0 ? { claimedLength: BigInt(dice.roll(1 << 30)) ** 2n } : {}),
        key: [dice.roll(256), dice.roll(256), dice.roll(256), dice.roll(256)],
      }),
    );
  }
  const wire = concatLarge(frames);
  // A few bits and bytes are wrong.
  for (let i = dice.roll(4); i > 0; i--) {
    const at = dice.roll(dice.pick([wire.length, Math.min(wire.length, 20)]));
    wire[at] = dice.roll(2) === 0 ? dice.roll(256) : wire[at]! ^ (1 << dice.roll(8));
  }
  return wire.slice(0, dice.roll(4) === 0 ? dice.roll(wire.length + 1) : wire.length);
}

function someChunks(dice: Dice, wire: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const largest = dice.pick([1, 3, 20, 1000, 65_536]);
  // Byte by byte only where that is soon done.
  const least = wire.length > 2000 ? 100 : 1;
  for (let at = 0; at < wire.length; ) {
    const size = Math.max(least, 1 + dice.roll(largest));
    chunks.push(wire.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** Counts what is allocated for the message that is under way. */
function metered(codec: ByteCodec): { codec: ByteCodec; taken(): number; forget(): void } {
  let taken = 0;
  return {
    codec: {
      ...codec,
      allocate(length) {
        taken += length;
        return codec.allocate(length);
      },
    },
    taken: () => taken,
    forget: () => {
      taken = 0;
    },
  };
}

const port = new NodeDeflate();
const agreement = {
  ownWindowBits: 15,
  peerWindowBits: 15,
  ownContextTakeover: true,
  peerContextTakeover: true,
};

describe('any bytes whatever', () => {
  it.each<Role>(['server', 'client'])(
    'as frames to a %s: nothing is thrown, and the cuts make no difference',
    (role) => {
      fuzz(400, (dice) => {
        const isDeflating = dice.roll(3) === 0;
        const sender = role === 'server' ? 'client' : 'server';
        const wire = dice.roll(10) === 0 ? dice.bytes(dice.roll(200)) : someWire(dice, sender, isDeflating);
        const overrides: Overrides = {
          payloadLimitBytes: dice.pick([0, 100, 100_000]),
          fragmentLimit: dice.pick([0, 0, 2]),
          memoryBudgetBytes: dice.pick([0, 200_000]),
          ownedUpToBytes: dice.pick([0, 64, 1 << 20]),
          deflate: isDeflating ? { agreement, port, thresholdBytes: 0 } : null,
        };
        const heard = (chunks: Uint8Array[]): string[] => {
          const { connection, sink } = open(role, overrides);
          for (const chunk of chunks) connection.receive(chunk.slice());
          connection.receiveEnd();
          connection.dispose();
          // What was put out is frames, and nothing comes behind a close frame.
          const opcodes = readFrames(sink.wire).map(({ opcode }) => opcode);
          expect(opcodes.indexOf(8)).toBeOneOf([-1, opcodes.length - 1]);
          return sink.lines;
        };
        const whole = heard([wire]);
        const cut = heard(someChunks(dice, wire));
        // Where compressed bytes are wrong in two ways, the cuts decide which of them is seen first.
        const told = (line: string): string => (isDeflating && line.startsWith('failed') ? 'failed' : line);
        expect(cut.map(told)).toEqual(whole.map(told));
      });
    },
    timeout,
  );

  it(
    'as frames, with pauses and every delivery: nothing is thrown, nothing is called after the end',
    () => {
      fuzz(400, (dice) => {
        const role = dice.pick(['server', 'client'] as const);
        const wire = someWire(dice, role === 'server' ? 'client' : 'server', true);
        const { connection, sink } = open(role, {
          deflate: { agreement, port, thresholdBytes: 0 },
          payloadLimitBytes: 200_000,
          chunkLimit: dice.pick([0, 0, 50]),
        });
        let lastWords = '';
        sink.on = (line) => {
          expect(lastWords).toBe('');
          if (line === 'ended') lastWords = line;
          if (dice.roll(3) === 0) connection.pauseReceiving();
          if (dice.roll(5) === 0) connection.setDelivery(dice.pick<Delivery>(['whole', 'pieces', 'stream']));
          if (dice.roll(40) === 0) connection.sendClose(1000);
        };
        for (const chunk of someChunks(dice, wire)) {
          connection.receive(chunk);
          if (dice.roll(2) === 0) connection.resumeReceiving();
        }
        connection.receiveEnd();
        while (lastWords === '') connection.resumeReceiving();
        expect(connection.heldBytes).toBe(0);
        expect(['open', 'closingByUs']).not.toContain(connection.state);
        connection.dispose();
      });
    },
    timeout,
  );

  it(
    'as frames: what is allocated is in proportion to what has come',
    () => {
      fuzz(300, (dice) => {
        const role = dice.pick(['server', 'client'] as const);
        const wire = someWire(dice, role === 'server' ? 'client' : 'server', false);
        const meter = metered(dice.pick([portableByteCodec, nodeByteCodec]));
        const { connection, sink } = open(role, { codec: meter.codec, payloadLimitBytes: 0 });
        let received = 0;
        sink.on = () => {
          meter.forget();
          received = 0;
        };
        for (const chunk of someChunks(dice, wire)) {
          received += chunk.length;
          connection.receive(chunk);
          expect(meter.taken()).toBeLessThanOrEqual(2 * received + 65_536 + wire.length);
        }
        connection.dispose();
      });
    },
    timeout,
  );

  it(
    'as HTTP heads: refused as a PeerError or read, and what was read is written the same',
    () => {
      const pieces = [
        'GET',
        ' ',
        '/',
        'HTTP/1.1',
        'HTTP/1.1 101 x',
        '\r\n',
        '\r',
        '\n',
        ':',
        'Host',
        'host: a',
        'Upgrade: b',
        '\t',
        '\0',
        'é',
        ',',
        '"',
        'x'.repeat(50),
      ];
      const guarded = <T>(action: () => T): T | null => {
        try {
          return action();
        } catch (error) {
          expect(error).toBeInstanceOf(PeerError);
          return null;
        }
      };
      // Lines of one name are joined with a comma and a space; empty ones leave a space at the end.
      const trimmed = (headers: HeaderFields): HeaderFields =>
        Object.assign(
          Object.create(null),
          ...Object.entries(headers).map(([name, value]) => ({ [name]: value?.trimEnd() })),
        );
      fuzz(3000, (dice) => {
        const isRequest = dice.roll(2) === 0;
        let head = isRequest ? 'GET /a HTTP/1.1\r\nHost: b\r\n' : 'HTTP/1.1 101 Switching\r\n';
        for (let i = dice.roll(6); i > 0; i--) head += `${dice.pick(pieces)}: ${dice.pick(pieces)}\r\n`;
        head += '\r\n';
        for (let i = dice.roll(4); i > 0; i--) {
          const at = dice.roll(head.length);
          head = head.slice(0, at) + dice.pick(pieces) + head.slice(at + dice.roll(3));
        }
        const wire = Uint8Array.from(head, (character) => character.charCodeAt(0));
        const collected = (chunks: Uint8Array[]): string | null =>
          guarded(() => {
            const collector = new HeadCollector(300);
            return chunks.some((chunk) => collector.receive(chunk) >= 0) ? collector.head : null;
          });
        const text = collected([wire]);
        expect(collected(someChunks(dice, wire))).toBe(text);
        const limits = { headLimitBytes: 300, fieldLimit: 6 };
        const request = guarded(() => parseRequestHead(text ?? head, limits));
        if (request !== null && request.httpVersion === '1.1') {
          const fields = Object.entries(request.headers) as [string, string][];
          const again = parseRequestHead(formatRequestHead(request.method, request.target, fields), limits);
          expect(again).toEqual({ ...request, headers: trimmed(request.headers) });
        }
        const response = guarded(() => parseResponseHead(text ?? head, limits));
        if (response !== null) {
          const fields = Object.entries(response.headers) as [string, string][];
          const again = parseResponseHead(
            formatResponseHead(response.status, response.reason, fields),
            limits,
          );
          expect(again).toEqual({ ...response, httpVersion: '1.1', headers: trimmed(response.headers) });
        }
      });
    },
    timeout,
  );

  it(
    'as header values of the handshake: nothing is thrown, and what was read is written the same',
    () => {
      const pieces = [
        'permessage-deflate',
        ';',
        ',',
        '=',
        '"',
        '\\',
        ' ',
        '\t',
        'client_max_window_bits',
        'server_max_window_bits',
        'server_no_context_takeover',
        '8',
        '15',
        '16',
        'a',
        'é',
        '\0',
        '__proto__',
        'websocket',
        'Upgrade',
        '13',
        '==',
      ];
      const value = (dice: Dice): string => {
        let text = '';
        for (let i = dice.roll(12); i > 0; i--) text += dice.pick(pieces);
        return text;
      };
      const random = { fill: (target: Uint8Array) => target.fill(7) };
      fuzz(3000, (dice) => {
        const extensions = parseExtensions(value(dice));
        if (extensions !== null) expect(parseExtensions(formatExtensions(extensions))).toEqual(extensions);
        const tokens = parseUniqueTokens(value(dice));
        if (tokens !== null) expect([...parseUniqueTokens([...tokens].join(','))!]).toEqual([...tokens]);
        listHasToken(value(dice), 'upgrade');
        const good: Record<string, string> = {
          host: 'a',
          upgrade: 'websocket',
          connection: 'Upgrade',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'sec-websocket-version': '13',
          'sec-websocket-extensions': `permessage-deflate; ${value(dice)}`,
          'sec-websocket-protocol': value(dice),
        };
        const names = Object.keys(good);
        if (dice.roll(2) === 0) good[dice.pick(names)] = value(dice);
        const verdict = checkUpgradeRequest({ method: 'GET', httpVersion: '1.1', headers: good }, {});
        expect(verdict.isAcceptable || verdict.status >= 400).toBe(true);
        const client = new ClientHandshake({
          codec: portableByteCodec,
          random,
          deflate: {},
          subprotocols: ['a'],
        });
        const result = client.check({
          status: 101,
          headers: { ...good, 'sec-websocket-accept': dice.pick(['', value(dice)]) },
        });
        expect(result).toBeInstanceOf(PeerError);
      });
    },
    timeout,
  );
});
