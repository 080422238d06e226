import { describe, expect, it } from 'vitest';
import { createShortPollingClient } from '../../../../src/transport/short-polling/client.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';
import { type ScriptOptions, startScript } from '../scripted-exchange.ts';

const open = '0{"sid":"x"}';
const message = (text: string) => new OutgoingPacket(PacketType.message, text);

function opened(options?: ScriptOptions) {
  const s = startScript(createShortPollingClient, options);
  s.last().answer(open);
  s.log.length = 0;
  return s;
}

describe('a client of short polling', () => {
  it('asks again a second after each answer', () => {
    const { requests, log, advance, last } = opened();
    advance(999);
    expect(requests).toHaveLength(1);
    advance(1);
    expect(requests).toHaveLength(2);
    advance(5000);
    expect(requests).toHaveLength(2);
    last().answer('4a\x1e2');
    advance(1000);
    expect(requests).toHaveLength(3);
    expect(log).toEqual([
      ['4', 'a'],
      ['2', ''],
    ]);
    expect(requests.every(({ isPost, isStream }) => !isPost && !isStream)).toBe(true);
  });

  it.each([
    [0, 0],
    [20, 20],
    [30_000, 30_000],
  ])('asks again after the interval that the program wants: %i ms', (shortPollingIntervalMs, waits) => {
    const { requests, advance } = opened({ shortPollingIntervalMs });
    if (waits > 0) {
      advance(waits - 1);
      expect(requests).toHaveLength(1);
      advance(1);
    }
    expect(requests).toHaveLength(2);
  });

  it('asks again at once behind an answer so long that there is likely more', () => {
    const { requests, advance, last } = opened();
    advance(1000);
    last().answer(`4${'x'.repeat(1024 * 1024)}`);
    expect(requests).toHaveLength(3);
  });

  it('posts at once, also while it waits', () => {
    const { transport, requests, last, log } = opened({ isExtended: true });
    expect(transport.isWritable).toBe(true);
    transport.send([message('a')]);
    expect(last()).toMatchObject({ isPost: true, body: '4a' });
    last().answer('71');
    expect(log).toEqual([['7', '1'], ['drained']]);
    expect(requests).toHaveLength(3);
  });

  it('asks at once when a POST was answered, also where a GET was under way, and then by the interval', () => {
    const { transport, requests, advance, timers } = opened({ isExtended: true });
    const kinds = () => requests.map(({ isPost }) => (isPost ? 'POST' : 'GET')).join(' ');
    transport.send([message('a')]);
    requests[1]!.answer('71');
    expect(kinds()).toBe('GET POST GET');
    transport.send([message('b')]);
    requests[3]!.answer('72');
    expect(kinds()).toBe('GET POST GET POST');
    requests[2]!.answer('71');
    expect(kinds()).toBe('GET POST GET POST GET');
    requests[4]!.answer('72');
    expect(timers.size).toBe(1);
    advance(999);
    expect(requests).toHaveLength(5);
    advance(1);
    expect([kinds(), timers.size]).toEqual(['GET POST GET POST GET GET', 0]);
  });

  it('does not poll on when a session ends while a POST hangs, whether it waits or asks', () => {
    const waiting = opened({ isExtended: true });
    const asking = opened({ isExtended: true });
    asking.advance(1000);
    const [, get] = asking.requests;
    for (const { transport } of [waiting, asking]) {
      transport.send([message('a')]);
      transport.close();
    }
    get!.answer('71');
    for (const { advance, requests, timers } of [waiting, asking]) {
      advance(60_000);
      expect([requests.at(-1)!.body, timers.size]).toEqual(['4a', 0]);
    }
  });

  it('waits no more when it is closed or has failed', () => {
    const closed = opened();
    closed.transport.close();
    expect(closed.last()).toMatchObject({ body: '1', isLast: true });
    closed.last().answer('ok');
    expect(closed.log).toEqual([['closed', 'byUs', undefined]]);
    const failed = opened();
    failed.transport.send([message('a')]);
    failed.last().fail();
    expect(failed.log).toMatchObject([
      ['closed', 'failed', { transport: 'short-polling', message: 'xhr post error' }],
    ]);
    for (const { advance, requests, timers } of [closed, failed]) {
      expect(timers.size).toBe(0);
      advance(60_000);
      expect(requests).toHaveLength(2);
    }
  });

  it('fails when a poll fails', () => {
    const { advance, last, log, requests } = opened({ isExtended: true });
    advance(1000);
    last().answer('bad gateway', 502);
    expect(log).toMatchObject([
      ['closed', 'failed', { step: 'read', code: 'TRANSPORT_ERR_PROXY', description: 502 }],
    ]);
    expect(requests).toHaveLength(2);
  });
});
