/**
 * What: what the server does with the messages and questions of outboxes, and with those that only look like them.
 * Must not know: transports, how clients keep their messages.
 */
import { describe, expect, it } from 'vitest';
import type { HubOptions } from '../../../src/hub/hub.ts';
import { OutboxReceipts } from '../../../src/hub/outbox-receipts.ts';
import { createHub } from './scripted-peer.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function enter(options: Partial<HubOptions> = {}) {
  const harness = createHub(options);
  const got: unknown[] = [];
  const come = () => {
    const { peer, socket } = harness.enter();
    socket.on('word', (...args) => {
      const reply = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      got.push(...args);
      reply?.('got it');
    });
    return peer;
  };
  return { come, got };
}

const message = (index: unknown, ...event: unknown[]) =>
  `2${JSON.stringify(['tautline:outbox', 'lane', index, ...event])}`;

describe('an outbox on the server', () => {
  it('is delivered once, over one connection or several, and counted', async () => {
    const { come, got } = enter();
    const first = come().say(message(0, 'word', 'a'), message(1, 'word', 'b'), message(1, 'word', 'b'));
    first.break();
    const second = come().say('27["tautline:outbox","lane"]', '28["tautline:outbox","other"]');
    await settled();
    expect(second.take()).toEqual(['37[2]', '38[null]']);
    second.say(message(0, 'word', 'a'), message(2, 'word', 'c'), message(5, 'word', 'd'));
    expect(got).toEqual(['a', 'b', 'c', 'd']);
  });

  it('has acknowledgements as other events have them', () => {
    const { come } = enter();
    const peer = come().say('23["tautline:outbox","lane",0,"word",1]');
    expect(peer.take()).toEqual(['33["got it"]']);
  });

  it('keeps namespaces apart', async () => {
    const { hub, connect } = createHub();
    hub.of('/n');
    const peer = connect().say('0', '0/n,', message(0, 'word'));
    peer.take();
    peer.say('2/n,1["tautline:outbox","lane"]', '22["tautline:outbox","lane"]');
    await settled();
    expect(peer.take()).toEqual(['3/n,1[null]', '32[1]']);
  });

  it('is told that nothing is counted where the program wants that', () => {
    const { come } = enter({ outbox: false });
    expect(come().say('21["tautline:outbox","lane"]').take()).toEqual(['31[false]']);
  });

  it.each([
    ['a question that cannot be answered', '2["tautline:outbox","lane"]'],
    ['a lane that is no text', '21["tautline:outbox",{"toString":1}]'],
    ['an empty lane', '21["tautline:outbox",""]'],
    ['a lane without end', `21["tautline:outbox","${'x'.repeat(65)}"]`],
    ['nothing', '2["tautline:outbox"]'],
    ['no event', message(0)],
    ['an index that is none', message(-1, 'word')],
    ['an index above all', message(2 ** 53, 'word')],
    ['an index that is text', message('0', 'word')],
    ['an event that is an object', message(0, {})],
    ['a reserved event', message(0, 'disconnect')],
    ['an outbox in an outbox', message(0, 'tautline:outbox', 'lane', 0, 'word')],
  ])('with %s ends the connection, and nothing is delivered', (_, text) => {
    const { come, got } = enter();
    const peer = come().say(text);
    expect([peer.isOpen, got]).toEqual([false, []]);
  });

  it('with more lanes than a client needs ends the connection', () => {
    const { come, got } = enter();
    const peer = come();
    for (let i = 0; i < 101; i++) peer.say(`2["tautline:outbox","lane ${i}",0,"word",${i}]`);
    expect([peer.isOpen, got.length]).toEqual([false, 100]);
  });
});

describe('receipts', () => {
  it('are forgotten from the lane on that was heard of longest ago', async () => {
    const receipts = new OutboxReceipts({ lanes: 2 });
    receipts.take({}, 'a', 0);
    receipts.take({}, 'b', 0);
    receipts.take({}, 'a', 1);
    receipts.take({}, 'c', 0);
    const counts = await Promise.all(['a', 'b', 'c'].map((lane) => receipts.count(lane)));
    expect(counts).toEqual([2, null, 1]);
  });

  it.each<[string, () => number | undefined | Promise<number | undefined>, number | null]>([
    ['more', () => 7, 7],
    ['more, later', () => Promise.resolve(7), 7],
    ['less', () => 1, 2],
    ['nothing', () => undefined, 2],
    ['an error', () => Promise.reject(new Error('no store')), 2],
  ])('of a store that knows %s than memory', async (_, load, expected) => {
    const saved: unknown[] = [];
    const receipts = new OutboxReceipts({
      receipts: { load, save: (...args) => void saved.push(args) },
    });
    receipts.take({}, 'lane', 0);
    receipts.take({}, 'lane', 1);
    expect(await receipts.count('lane')).toBe(expected);
    expect(receipts.take({}, 'lane', 1)).toBe(false);
    expect(saved).toEqual([
      ['lane', 1],
      ['lane', 2],
    ]);
  });
});
