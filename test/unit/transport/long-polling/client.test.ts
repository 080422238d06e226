import { describe, expect, it } from 'vitest';
import type { ExchangeOutcome } from '../../../../src/transport/http/client.ts';
import { createPollingClient } from '../../../../src/transport/long-polling/client.ts';
import { webTextCodec } from '../../../../src/transport/platform/web-text-codec.ts';
import type { ClientTarget, Transport } from '../../../../src/transport/port.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';
import { exceptionsOf } from '../platform-exceptions.ts';
import { startScript } from '../scripted-exchange.ts';

interface Request {
  readonly body: string | undefined;
  readonly isLast: boolean;
  isAborted: boolean;
  answer(text: string, status?: number): void;
  fail(outcome?: Partial<ExchangeOutcome>): void;
}

const open = '0{"sid":"x"}';
const message = (text: string | Uint8Array) => new OutgoingPacket(PacketType.message, text);

/** A transport whose requests the test answers. */
function start() {
  const requests: Request[] = [];
  const log: unknown[][] = [];
  const time = { nowMs: 0 };
  const clock = { nowMs: () => time.nowMs };
  const target = {
    url: () => 'http://h/',
    options: {},
    codec: webTextCodec,
    clock,
  } as unknown as ClientTarget;
  const transport: Transport = createPollingClient(target, (_target, body, isLast, done) => {
    const request: Request = {
      body,
      isLast,
      isAborted: false,
      answer: (text, status = 200) => done({ status, text }),
      fail: (outcome) => done({ status: 0, text: '', ...outcome }),
    };
    requests.push(request);
    return () => {
      request.isAborted = true;
    };
  });
  transport.sink = {
    transportOpened: () => log.push(['opened']),
    transportReceived: (type, data) => log.push([type, data]),
    transportDrained: () => log.push(['drained']),
    transportClosed: (closed) => log.push(['closed', closed.by, closed.error]),
  };
  transport.open();
  return { transport, requests, log, last: () => requests.at(-1)! };
}

/** The same, after the handshake, with the second poll waiting. */
function opened() {
  const s = start();
  s.last().answer(open);
  s.log.length = 0;
  return { ...s, poll: s.last() };
}

describe('a polling client', () => {
  it('polls again after each answer, and tells what it holds in order', () => {
    const { requests, log, transport } = start();
    expect(transport.isWritable).toBe(false);
    requests[0]!.answer(`${open}\x1e4a\x1e2`);
    expect(log).toEqual([['opened'], ['0', '{"sid":"x"}'], ['4', 'a'], ['2', '']]);
    expect(transport.isWritable).toBe(true);
    requests[1]!.answer('6');
    requests[2]!.answer('bAQI=');
    expect(log.slice(4)).toEqual([
      ['6', ''],
      ['4', Uint8Array.of(1, 2)],
    ]);
    expect(requests).toHaveLength(4);
    expect(requests.every(({ body }) => body === undefined)).toBe(true);
  });

  it('posts beside the poll, one request at a time', () => {
    const { transport, last, log, requests } = opened();
    transport.send([message('a'), message(Uint8Array.of(1, 2))]);
    expect(last().body).toBe('4a\x1ebAQI=');
    expect(transport.isWritable).toBe(false);
    last().answer('ok');
    expect(log).toEqual([['drained']]);
    expect(transport.isWritable).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('hands over what came before a packet that it cannot read, and then fails', () => {
    const { poll, log, requests } = opened();
    poll.answer('4a\x1e9');
    expect(log).toMatchObject([
      ['4', 'a'],
      ['closed', 'failed', { step: 'read', code: 'TRANSPORT_ERR_PROTOCOL', cause: { name: 'PeerError' } }],
    ]);
    expect(requests).toHaveLength(2);
  });

  it('hears the rest and goes on polling when a listener throws, whose exception goes to the platform', () => {
    const { transport, poll, requests, log } = opened();
    const { sink } = transport;
    transport.sink = {
      ...sink,
      transportReceived(type, data) {
        sink.transportReceived(type, data);
        throw new Error(`from the listener of ${data}`);
      },
    };
    const thrown = exceptionsOf(() => poll.answer('4a\x1e4b'));
    expect(log.slice(-2)).toEqual([
      ['4', 'a'],
      ['4', 'b'],
    ]);
    expect(thrown).toMatchObject([
      { message: 'from the listener of a' },
      { message: 'from the listener of b' },
    ]);
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['a poll', 'xhr poll error', 'read', false],
    ['a post', 'xhr post error', 'write', true],
  ])('fails when %s fails, and gives the other request up', (_, text, step, isPost) => {
    const { transport, last, requests, log } = opened();
    transport.send([message('a')]);
    const [failing, other] = isPost ? [last(), requests[1]!] : [requests[1]!, last()];
    failing.fail({ code: 'TRANSPORT_ERR_REFUSED' });
    expect(log).toMatchObject([
      ['closed', 'failed', { message: text, step, code: 'TRANSPORT_ERR_REFUSED', transport: 'polling' }],
    ]);
    expect(other.isAborted).toBe(true);
    other.answer('4late');
    expect(log).toHaveLength(1);
  });

  it('fails with the status that it did not expect', () => {
    const { last, log } = start();
    last().answer('Unknown transport', 400);
    expect(log).toMatchObject([
      ['closed', 'failed', { step: 'open', code: 'TRANSPORT_ERR_STATUS', description: 400 }],
    ]);
  });

  it('is closed by the server’s close packet, and hears nothing after it', () => {
    const { poll, log, requests } = opened();
    poll.answer('4a\x1e1\x1e4b');
    expect(log).toEqual([
      ['4', 'a'],
      ['closed', 'byPeer', undefined],
    ]);
    expect(requests).toHaveLength(2);
  });

  it('says goodbye when it is closed, in a request that outlives the page', () => {
    const { transport, poll, last, log } = opened();
    transport.close();
    transport.close();
    expect(last()).toMatchObject({ body: '1', isLast: true });
    expect(transport.isWritable).toBe(false);
    expect(log).toEqual([]);
    last().fail();
    expect(log).toEqual([['closed', 'byUs', undefined]]);
    expect(poll.isAborted).toBe(true);
  });

  it('says goodbye after what was sent', () => {
    const { transport, last, requests } = opened();
    transport.send([message('a')]);
    transport.close();
    expect(requests).toHaveLength(3);
    last().answer('ok');
    expect(last().body).toBe('1');
  });

  it('gives up at once when it was not yet open, or is terminated', () => {
    for (const [s, end] of [
      [start(), 'close'],
      [opened(), 'terminate'],
    ] as const) {
      s.transport[end]();
      s.transport.terminate();
      expect(s.log).toEqual([['closed', 'byUs', undefined]]);
      expect(s.last().isAborted).toBe(true);
      expect(s.last().body).toBe(undefined);
    }
  });

  it('pauses once the poll and the post that are under way have ended', () => {
    const { transport, poll, last, log, requests } = opened();
    transport.send([message('a')]);
    const post = last();
    transport.pause(() => log.push(['paused']));
    poll.answer('4b');
    expect(log).toEqual([['4', 'b']]);
    post.answer('ok');
    expect(log).toEqual([['4', 'b'], ['drained'], ['paused']]);
    expect(requests).toHaveLength(3);
  });

  it('pauses at once when nothing is under way', () => {
    const s = opened();
    s.transport.pause(() => s.log.push(['paused']));
    s.poll.answer('6');
    expect(s.log).toEqual([['6', ''], ['paused']]);
    s.transport.pause(() => s.log.push(['paused again']));
    expect(s.log.at(-1)).toEqual(['paused again']);
  });
});

describe('the client of a session that is counted', () => {
  it('asks for nothing more once it was closed, though a POST hangs before its goodbye', () => {
    const { transport, requests, last } = startScript(createPollingClient, { isExtended: true });
    last().answer(open);
    const poll = last();
    transport.send([message('a')]);
    const post = last();
    transport.close();
    expect(poll.isAborted).toBe(true);
    poll.fail();
    expect(requests).toHaveLength(3);
    post.answer('71');
    expect([last().body, last().isLast]).toEqual(['1', true]);
  });
});
