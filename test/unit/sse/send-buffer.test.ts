import { describe, expect, it } from 'vitest';
import { EncodedEvent } from '../../../src/sse/encoded-event.ts';
import { type OverflowPolicy, SendBuffer } from '../../../src/sse/send-buffer.ts';

/** `a3`: an event named `a` of three bytes. */
const event = (text: string) => new EncodedEvent(text.slice(0, 1), new Uint8Array(Number(text.slice(1))));
const nameOf = ({ name, bytes }: EncodedEvent) => `${name}${bytes.length}`;

function fill(policy: OverflowPolicy, texts: readonly string[]) {
  const buffer = new SendBuffer(policy, 10);
  const taken = texts.map((text) => buffer.push(event(text)));
  const { bytes, dropped } = buffer;
  const waiting: string[] = [];
  for (let next = buffer.shift(); next !== null; next = buffer.shift()) waiting.push(nameOf(next));
  expect(buffer.bytes).toBe(0);
  expect(buffer.isEmpty).toBe(true);
  return { taken, waiting, bytes, dropped };
}

describe('what waits for a slow client, within 10 bytes', () => {
  const table: [OverflowPolicy, string, string[], string[], number][] = [
    ['close', 'up to the bound', ['a5', 'b5'], ['a5', 'b5'], 0],
    ['dropNewest', 'at the bound the new one goes', ['a5', 'b5', 'c1'], ['a5', 'b5'], 1],
    ['dropNewest', 'a small one behind it may fit again', ['a5', 'b6', 'c5'], ['a5', 'c5'], 1],
    ['dropOldest', 'the oldest goes', ['a5', 'b5', 'c1'], ['b5', 'c1'], 1],
    ['dropOldest', 'as many as are needed', ['a2', 'b2', 'c6', 'd5'], ['d5'], 3],
    ['dropOldest', 'one that would never fit is dropped itself', ['a5', 'b11'], ['a5'], 1],
    ['keepLatest', 'one of each name, even within the bound', ['a1', 'b1', 'a2'], ['b1', 'a2'], 1],
    ['keepLatest', 'beyond the bound the oldest name goes', ['a4', 'b4', 'a3', 'c5'], ['a3', 'c5'], 2],
    ['keepLatest', 'one that would never fit takes its older one along', ['a4', 'a11'], [], 2],
  ];
  it.each(table)('%s: %s', (policy, _name, texts, waiting, dropped) => {
    const seen = fill(policy, texts);
    expect(seen.waiting).toEqual(waiting);
    expect(seen.dropped).toBe(dropped);
    expect(seen.bytes).toBe(waiting.reduce((sum, text) => sum + Number(text.slice(1)), 0));
    expect(seen.taken).toEqual(texts.map(() => true));
  });

  it('close: says when one does not fit', () => {
    expect(fill('close', ['a5', 'b5', 'c1']).taken).toEqual([true, true, false]);
  });
});
