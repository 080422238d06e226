import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerError, UsageError } from '../../../../src/base/errors.ts';
import { type EventStreamMessage, formatComment, formatEvent } from '../../../../src/wire/sse/format.ts';
import { EventStreamParser, type ParsedEvent } from '../../../../src/wire/sse/parser.ts';

interface Seen {
  events: ParsedEvent[];
  retries: number[];
  lastEventId: string;
}

function parse(pieces: readonly string[], lastEventId = '', limitChars = 0): Seen {
  const seen: Seen = { events: [], retries: [], lastEventId: '' };
  const parser = new EventStreamParser(
    {
      eventReceived: (event) => seen.events.push(event),
      retryReceived: (ms) => seen.retries.push(ms),
    },
    lastEventId,
    limitChars,
  );
  for (const piece of pieces) parser.receive(piece);
  seen.lastEventId = parser.lastEventId;
  return seen;
}
const message = (data: string, lastEventId = '', type = 'message'): ParsedEvent => ({
  type,
  data,
  lastEventId,
});

describe('an event stream is read', () => {
  const table: [string, string, ParsedEvent[]][] = [
    ['one line of data', 'data: hello\n\n', [message('hello')]],
    ['without the space after the colon', 'data:hello\n\n', [message('hello')]],
    ['with one space taken away, no more', 'data:  hello\n\n', [message(' hello')]],
    ['several data lines', 'data: a\ndata: b\n\n', [message('a\nb')]],
    ['empty data', 'data\n\n', [message('')]],
    ['two empty data lines', 'data\ndata\n\n', [message('\n')]],
    ['a named event', 'event: tick\ndata: 1\n\n', [message('1', '', 'tick')]],
    [
      'a name holds for one event',
      'event: tick\ndata: 1\n\ndata: 2\n\n',
      [message('1', '', 'tick'), message('2')],
    ],
    ['an id holds until the next', 'id: 7\ndata: a\n\ndata: b\n\n', [message('a', '7'), message('b', '7')]],
    ['an empty id forgets', 'id: 7\ndata: a\n\nid\ndata: b\n\n', [message('a', '7'), message('b', '')]],
    [
      'an id with U+0000 is ignored',
      'id: 7\ndata: a\n\nid: 8\0\ndata: b\n\n',
      [message('a', '7'), message('b', '7')],
    ],
    ['a comment', ': keep\n\n:\ndata: a\n\n', [message('a')]],
    ['an unknown field', 'foo: bar\ndata: a\n\n', [message('a')]],
    ['a name without data is not dispatched', 'event: tick\n\ndata: a\n\n', [message('a')]],
    ['CR line ends', 'data: a\rdata: b\r\r', [message('a\nb')]],
    ['CR LF line ends', 'data: a\r\ndata: b\r\n\r\n', [message('a\nb')]],
    ['mixed line ends', 'data: a\rdata: b\r\ndata: c\n\r', [message('a\nb\nc')]],
    ['a byte order mark', '\uFEFFdata: a\n\n', [message('a')]],
    ['a second byte order mark is not one', '\uFEFF\uFEFFdata: a\n\ndata: b\n\n', [message('b')]],
    ['an event that is not complete is not dispatched', 'data: a\n\ndata: b\n', [message('a')]],
    ['a field name is not trimmed', ' data: a\ndata : b\ndata: c\n\n', [message('c')]],
  ];
  it.each(table)('%s', (_name, text, events) => {
    expect(parse([text]).events).toEqual(events);
  });
  it.each(table)('%s, character by character', (_name, text, events) => {
    expect(parse([...text].flatMap((character) => [character, ''])).events).toEqual(events);
  });
  it.each(table)('%s, with something behind it', (_name, text, events) => {
    expect(parse([`${text}\n\ndata: last\n`]).events.slice(0, events.length)).toEqual(events);
  });

  it.each([
    ['digits', 'retry: 1500\n', [1500]],
    ['nothing else', 'retry: 1500ms\nretry: -1\nretry:\nretry: 1.5\n', []],
  ])('retry takes %s', (_name, text, retries) => {
    expect(parse([text]).retries).toEqual(retries);
  });

  it('an id takes effect with the blank line, not before', () => {
    expect(parse(['id: 7\ndata: a\n']).lastEventId).toBe('');
    expect(parse(['id: 7\n\n']).lastEventId).toBe('7');
    expect(parse(['data: a\n\n'], '6')).toMatchObject({ lastEventId: '6', events: [message('a', '6')] });
  });

  it.each([
    ['one long line', ['data: ', 'x'.repeat(60), 'x'.repeat(60)]],
    ['many lines', Array.from({ length: 200 }, () => 'data: xxxxxxxxxx\n')],
  ])('an event above the limit is refused: %s', (_name, pieces) => {
    const error = (() => {
      try {
        parse(pieces, '', 100);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(PeerError);
    expect(error).toMatchObject({ code: 'SSE_EVENT_TOO_LARGE', limit: { name: 'limitChars', value: 100 } });
  });

  it('lines below the limit pass however many events there are', () => {
    expect(parse(['data: 0123456789\n\n'.repeat(1000)], '', 20).events).toHaveLength(1000);
  });
});

describe('an event stream is written', () => {
  it.each<[string, EventStreamMessage, string]>([
    ['data', { data: 'a' }, 'data: a\n\n'],
    ['lines of data', { data: 'a\nb\r\nc\rd' }, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
    ['everything', { event: 'e', id: '1', retryMs: 5, data: '' }, 'event: e\nid: 1\nretry: 5\ndata: \n\n'],
    ['an id alone', { id: '' }, 'id: \n\n'],
  ])('%s', (_name, event, text) => {
    expect(formatEvent(event)).toBe(text);
  });

  it.each<[string, EventStreamMessage]>([
    ['a name with a line break', { event: 'a\ndata: forged' }],
    ['an id with a line break', { id: 'a\rb' }],
    ['an id with U+0000', { id: 'a\0' }],
    ['a retry that is no whole number', { retryMs: 1.5 }],
    ['a negative retry', { retryMs: -1 }],
  ])('%s is refused', (_name, event) => {
    expect(() => formatEvent(event)).toThrow(UsageError);
  });

  it('comments of several lines stay comments', () => {
    expect(formatComment('a\nb')).toBe(': a\n: b\n\n');
    expect(parse([formatComment('a\ndata: b'), 'data: c\n\n']).events).toEqual([message('c')]);
  });

  it('what is written is read again, split anywhere', () => {
    const field = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\0]/g, ''));
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            event: field,
            id: field,
            data: fc.string({ unit: fc.constantFrom('a', '\n', '\r', ':', ' ', 'é') }),
          }),
        ),
        fc.array(fc.nat(40)),
        (events, cuts) => {
          const text = events.map(formatEvent).join('');
          const pieces: string[] = [];
          let at = 0;
          for (const cut of cuts) {
            pieces.push(text.slice(at, at + cut));
            at += cut;
          }
          pieces.push(text.slice(at));
          expect(parse(pieces).events).toEqual(
            events.map(({ event, id, data }) =>
              message(data.replace(/\r\n|\r/g, '\n'), id, event || 'message'),
            ),
          );
        },
      ),
      { seed: 20261121, numRuns: 300 },
    );
  });
});
