/**
 * What: clients that send the servers of the guides what they do not expect: one for each kind of server.
 * Must not know: what any of the servers does.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { io, type Socket } from 'socket.io-client';

/** What follows an event's name; with each, a callback is sent or not. */
const argumentLists: unknown[][] = [
  [],
  [null],
  [5],
  [true],
  [{ a: 1 }],
  [[]],
  [['a', ['b']]],
  [{ toString: 'no function', length: -1 }],
  ['x'.repeat(5000)],
  ['tea', 'x'.repeat(5000)],
  ['tea', { a: 1 }],
  ['tea', null, null, null],
  ['__proto__', 'constructor'],
  [{ __proto__: null, constructor: 1 }, { __proto__: 1 }],
  [new Uint8Array(3), new Uint8Array(3)],
];

const credentials: object[] = [
  { user: 'eve', token: 't0ken' },
  {},
  { user: { a: 1 }, token: ['s3cret'] },
  { user: '__proto__', token: '__proto__' },
];

/** Sends each event of a server each list of arguments, as a client of Socket.IO. */
export async function attackEvents(url: string, source: string): Promise<void> {
  const [, path] = /path: '([^']+)'/.exec(source) ?? [];
  const names = [...source.matchAll(/socket\.on\('([^']+)'/g)].flatMap(([, name = '']) =>
    name === 'disconnect' ? [] : [name],
  );
  for (const name of [...names, 'no such event', 'error', '__proto__']) {
    for (const auth of credentials) {
      const socket = io(url, { path, auth, forceNew: true, reconnection: false });
      // Whatever the server asks is answered, with nonsense.
      socket.onAny((...args) => {
        const ack = args.at(-1);
        if (typeof ack === 'function') ack({ a: 1 }, null);
      });
      const entered = await Promise.race([
        new Promise((resolve) => socket.on('connect', () => resolve(true))),
        new Promise((resolve) => socket.on('connect_error', () => resolve(false))),
      ]);
      if (entered) await attackAs(socket, name);
      socket.disconnect();
    }
  }
}

async function attackAs(socket: Socket, name: string): Promise<void> {
  const gone = new Promise((resolve) => socket.on('disconnect', resolve));
  for (const args of argumentLists) {
    socket.emit(name, ...args);
    socket.emit(name, ...args, () => {});
  }
  // Nobody may enter there; the answer comes when everything before it was handled.
  const end = socket.io.socket('/nowhere', { auth: {} });
  const handled = new Promise((resolve) => end.on('connect_error', resolve));
  await Promise.race([gone, handled]);
}

/** Sends a server of WebSockets frames that are none. */
export async function attackFrames(url: string): Promise<void> {
  const { port, hostname } = new URL(url);
  for (const frame of ['ffff', '8105aabb', '818000000000', '888100000000ff', '91fe', '8281000000000a']) {
    const peer = connect(Number(port), hostname);
    peer.on('error', () => {});
    peer.write(
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const closed = new Promise((resolve) => peer.on('close', resolve));
    await Promise.race([once(peer, 'data'), closed]);
    peer.write(Buffer.from(frame, 'hex'));
    // Where the frame is no violation, or not whole, the connection ends like this.
    peer.end();
    peer.resume();
    await closed;
  }
}

/** Sends a server of HTTP requests that it does not expect. */
export async function attackRequests(url: string): Promise<void> {
  for (const method of ['POST', 'GET', 'DELETE']) {
    const headers = { 'last-event-id': `${'9'.repeat(500)}.x`, accept: 'nothing' };
    const asked = request(url, { method, headers, agent: false });
    asked.end(method === 'POST' ? 'x'.repeat(100_000) : undefined);
    const [response] = await once(asked, 'response');
    response.on('error', () => {}).destroy();
  }
}
