/**
 * What: the floors of src/ in one table, read by the import check (dependency-cruiser) and by nothing else.
 */
/** A room is a folder that may import itself, its floor's port.ts, and any lower floor. */
const floors = [
  { floor: 0, rooms: ['base'] },
  {
    floor: 1,
    rooms: ['wire/websocket', 'wire/http', 'wire/sse', 'wire/engine', 'wire/events'],
    ports: ['wire/port.ts'],
  },
  { floor: 2, rooms: ['protocol/websocket', 'protocol/session'], ports: ['protocol/port.ts'] },
  // What Node and browsers give for the ports of F0: the ground that the rooms of F3 share.
  { floor: 2.5, rooms: ['transport/platform'] },
  // What the three transports over HTTP share: exchanges, and the client's GETs and POSTs.
  { floor: 2.8, rooms: ['transport/http'], ports: ['transport/port.ts'] },
  {
    floor: 3,
    rooms: ['transport/websocket', 'transport/sse', 'transport/long-polling', 'transport/short-polling'],
  },
  { floor: 4, rooms: ['engine/server', 'engine/client'], ports: ['engine/port.ts'] },
  // What both ends have above plain events: streams and iterators, contracts, token buckets.
  { floor: 4.5, rooms: ['streams', 'limits'] },
  { floor: 4.6, rooms: ['contract'] },
  { floor: 5, rooms: ['hub'] },
  { floor: 6, rooms: ['cluster/redis', 'cluster/nats', 'cluster/process'], ports: ['cluster/port.ts'] },
  { floor: 7, rooms: ['server', 'client', 'ws', 'websocket', 'sse'] },
  { floor: 8, rooms: ['entry'] },
];

const escapeDots = (text) => text.replace(/[.]/g, '\\.');
const pathOf = (names) =>
  `^src/(${names.map((n) => (n.endsWith('.ts') ? `${escapeDots(n)}$` : `${n}/`)).join('|')})`;

const rules = [];
for (const { floor, rooms, ports = [] } of floors) {
  const lower = floors.filter((f) => f.floor < floor).flatMap((f) => [...f.rooms, ...(f.ports ?? [])]);
  for (const room of rooms) {
    rules.push({
      name: `floor-${floor}-${room}`,
      comment: `src/${room} may import its own folder, ${ports.join(', ') || 'no port'} and lower floors only.`,
      severity: 'error',
      from: { path: pathOf([room]) },
      to: { path: '^src/', pathNot: pathOf([room, ...ports, ...lower]) },
    });
  }
  for (const port of ports) {
    rules.push({
      name: `floor-${floor}-${port}`,
      comment: `src/${port} may import lower floors only.`,
      severity: 'error',
      from: { path: pathOf([port]) },
      to: { path: '^src/', pathNot: pathOf([port, ...lower, 'none/']) },
    });
  }
}
const known = floors.flatMap((f) => [...f.rooms, ...(f.ports ?? [])]);
module.exports = { rules, knownPath: pathOf(known) };
