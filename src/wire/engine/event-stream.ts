/**
 * What: Engine.IO packets as events of an event stream, one event a packet (docs/protocol/session.md, "sse").
 * Must not know: HTTP, sessions, event streams of others: those may be written in more ways than these.
 */

/** The type of an event whose data is the JSON string of a packet. */
const JSON_EVENT = 'event: json';
const DATA = 'data: ';

/**
 * Writes a packet, as text, as an event.
 * @param id what the receiver has counted after this packet, if it is counted; empty: it is not.
 */
export function formatPacketEvent(packet: string, id: number | ''): string {
  const head = id === '' ? '' : `id: ${id}\n`;
  // WHATWG HTML 9.2.5: a carriage return ends a line, and would come out as a line feed.
  if (packet.includes('\r')) return `${head}${JSON_EVENT}\n${DATA}${JSON.stringify(packet)}\n\n`;
  const data = packet.includes('\n') ? packet.replaceAll('\n', `\n${DATA}`) : packet;
  return `${head}${DATA}${data}\n\n`;
}

/**
 * Reads what {@link formatPacketEvent} wrote, in pieces of any size; comments and other fields are passed over.
 * @returns takes the next piece and gives the packets, as text, that are complete with it.
 * @throws {SyntaxError} (the generator) when what should be JSON is not.
 */
export function createPacketEventReader(): (piece: string) => Generator<string> {
  let rest = '';
  return function* (piece) {
    rest += piece;
    // A long event that comes in many pieces is looked at once.
    if (!piece.includes('\n')) return;
    const events = rest.split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const lines = event.split('\n');
      const data = lines.filter((line) => line.startsWith(DATA)).map((line) => line.slice(DATA.length));
      if (data[0] !== undefined) yield lines.includes(JSON_EVENT) ? JSON.parse(data[0]) : data.join('\n');
    }
  };
}
