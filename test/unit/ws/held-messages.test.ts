/**
 * What: what waits for a slow reader, and what is given up by each policy.
 * Must not know: connections.
 */
import { expect, test } from 'vitest';
import { HeldMessages, type SlowReaderPolicy } from '../../../src/ws/held-messages.ts';

/** Holds messages given as `name:bytes[:key]` and gives who is sent then, in order, and what was counted. */
function play(policy: SlowReaderPolicy, limitBytes: number, ...given: string[]) {
  const counter = { droppedMessages: 0, droppedBytes: 0 };
  const held = new HeldMessages({ limitBytes, policy }, [counter]);
  const sent: string[] = [];
  const refused: string[] = [];
  for (const text of given) {
    const [name = '', bytes, key] = text.split(':');
    const message = { bytes: Number(bytes), key, callback: undefined, send: () => void sent.push(name) };
    if (!held.hold(message)) refused.push(name);
    if (policy !== 'close') expect(held.bytes).toBeLessThanOrEqual(limitBytes);
  }
  held.release(() => true);
  expect([held.bytes, held.isEmpty]).toEqual([0, true]);
  return {
    sent: sent.join(''),
    refused: refused.join(''),
    dropped: `${counter.droppedMessages}/${counter.droppedBytes}`,
  };
}

test.each([
  ['drop-newest', 10, ['a:4', 'b:4', 'c:4', 'd:2'], { sent: 'abd', dropped: '1/4' }],
  ['drop-newest', 10, ['a:11', 'b:10'], { sent: 'b', dropped: '1/11' }],
  ['drop-oldest', 10, ['a:4', 'b:4', 'c:4', 'd:10'], { sent: 'd', dropped: '3/12' }],
  ['drop-oldest', 10, ['a:4', 'b:11', 'c:4'], { sent: 'ac', dropped: '1/11' }],
  ['drop-oldest', 0, ['a:1', 'b:0'], { sent: 'b', dropped: '1/1' }],
  ['keep-latest', 10, ['a:2:x', 'b:2:y', 'c:2:x', 'd:2'], { sent: 'cbd', dropped: '1/2' }],
  ['keep-latest', 10, ['a:4:x', 'b:4:y', 'c:8:x'], { sent: 'c', dropped: '2/8' }],
  ['keep-latest', 10, ['a:4', 'b:4', 'c:4'], { sent: 'bc', dropped: '1/4' }],
  ['keep-latest', 10, ['a:4:x', 'b:11:x', 'c:1'], { sent: 'c', dropped: '2/15' }],
  ['close', 10, ['a:4', 'b:4', 'c:4'], { sent: 'ab', refused: 'c', dropped: '0/0' }],
] as const)('%s within %i bytes', (policy, limitBytes, given, expected) => {
  expect(play(policy, limitBytes, ...given)).toEqual({ refused: '', ...expected });
});

test('release stops where the reader is slow again, and goes on from there', () => {
  const held = new HeldMessages({ limitBytes: 100, policy: 'drop-oldest' }, []);
  const sent: number[] = [];
  for (let i = 0; i < 5; i++)
    held.hold({ bytes: 1, key: undefined, callback: undefined, send: () => void sent.push(i) });
  held.release(() => sent.length < 2);
  expect([sent, held.bytes]).toEqual([[0, 1], 3]);
  held.release(() => true);
  expect(sent).toEqual([0, 1, 2, 3, 4]);
});

test('callbacks of what is dropped get an error of their own turn', async () => {
  const held = new HeldMessages({ limitBytes: 1, policy: 'drop-newest' }, []);
  let now = true;
  const error = new Promise((resolve) => {
    held.hold({ bytes: 2, key: undefined, callback: (given) => resolve([given, now]), send: () => {} });
  });
  now = false;
  expect(await error).toEqual([expect.objectContaining({ code: 'WS_ERR_MESSAGE_DROPPED' }), false]);
});
