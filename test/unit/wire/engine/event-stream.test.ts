import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPacketEventReader, formatPacketEvent } from '../../../../src/wire/engine/event-stream.ts';
import { EventStreamParser } from '../../../../src/wire/sse/parser.ts';

function read(pieces: readonly string[]): string[] {
  const reader = createPacketEventReader();
  return pieces.flatMap((piece) => [...reader(piece)]);
}

/** As any client of event streams reads it. */
function readAsEventStream(text: string): { packets: string[]; lastEventId: string } {
  const packets: string[] = [];
  const parser = new EventStreamParser({
    eventReceived: ({ type, data }) => packets.push(type === 'json' ? JSON.parse(data) : data),
    retryReceived: () => {},
  });
  parser.receive(text);
  return { packets, lastEventId: parser.lastEventId };
}

const table: [string, string, number | '', string][] = [
  ['a packet without data', '2', '', 'data: 2\n\n'],
  ['a message with its count', '4hello', 7, 'id: 7\ndata: 4hello\n\n'],
  ['count 0', '4', 0, 'id: 0\ndata: 4\n\n'],
  ['binary as base64', 'bAQI=', 1, 'id: 1\ndata: bAQI=\n\n'],
  ['line feeds', '4a\nb\n\nc\n', 1, 'id: 1\ndata: 4a\ndata: b\ndata: \ndata: c\ndata: \n\n'],
  ['a carriage return', '4a\rb', '', 'event: json\ndata: "4a\\rb"\n\n'],
  ['both line ends', '4a\r\n\nb', 2, 'id: 2\nevent: json\ndata: "4a\\r\\n\\nb"\n\n'],
  [
    'what looks like fields',
    '4\ndata: x\nevent: json',
    1,
    'id: 1\ndata: 4\ndata: data: x\ndata: event: json\n\n',
  ],
  ['spaces', '4  a ', '', 'data: 4  a \n\n'],
];

describe('a packet as an event', () => {
  it.each(table)('is written: %s', (_name, packet, id, event) => {
    expect(formatPacketEvent(packet, id)).toBe(event);
  });

  it.each(table)('is read: %s', (_name, packet, _id, event) => {
    expect(read([event])).toEqual([packet]);
    expect(read([...event].flatMap((character) => [character, '']))).toEqual([packet]);
    expect(read([`${event}data: 6\n\ndata: not complete\n`])).toEqual([packet, '6']);
    expect(read(['retry: 1000\n\n', `: comment\n\n${event}`])).toEqual([packet]);
  });

  it.each(table)('is an event to every client: %s', (_name, packet, id, event) => {
    expect(readAsEventStream(event)).toEqual({ packets: [packet], lastEventId: String(id) });
  });

  it('survives whatever the text is and however it is cut', () => {
    const texts = fc.array(
      fc.string({ unit: fc.constantFrom('a', '\n', '\r', ':', ' ', '"', '€', '\u2028', '\0') }),
    );
    fc.assert(
      fc.property(texts, fc.array(fc.nat(20)), (parts, cuts) => {
        const packets = parts.map((text) => `4${text}`);
        const stream = packets.map((packet, i) => formatPacketEvent(packet, i)).join('');
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(stream.slice(at, at + cut));
          at += cut;
        }
        expect(read([...pieces, stream.slice(at)])).toEqual(packets);
        expect(readAsEventStream(stream).packets).toEqual(packets);
      }),
    );
  });

  it('throws for JSON that is none', () => {
    expect(() => read(['event: json\ndata: {\n\n'])).toThrow(SyntaxError);
  });
});
