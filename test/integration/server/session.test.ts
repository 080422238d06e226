/**
 * What: shows that what belongs to a socket survives the loss of its connection, by raw WebSockets against a Server.
 * Must not know: any client.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Server, type Socket } from '../../../src/entry/index.ts';
import { RawWebSocket } from '../engine/raw-websocket.ts';

const PATH = '/socket.io/?EIO=4&transport=websocket';

async function start(options: object = {}) {
  const http = createServer();
  const io = new Server(http, options);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    io.disconnectSockets(true);
    http.closeAllConnections();
    await io.close();
  });
  const { port } = http.address() as AddressInfo;
  const enter = async (query = '&tautline=1'): Promise<{ ws: RawWebSocket; socket: Socket; sid: string }> => {
    const connected = once(io, 'connection');
    const ws = new RawWebSocket(port, `${PATH}${query}`);
    const [open] = await ws.until(1);
    ws.send('40');
    const [socket] = (await connected) as [Socket];
    await ws.until(2);
    return { ws, socket, sid: JSON.parse(String(open).slice(1)).sid };
  };
  const attach = (sid: string, count: number) => new RawWebSocket(port, `${PATH}&sid=${sid}&attach=${count}`);
  return { io, enter, attach };
}

describe('a socket whose connection is lost', () => {
  it('keeps its rooms, its data and its acknowledgements, and gets what was sent meanwhile', async () => {
    const { io, enter, attach } = await start();
    const { ws, socket, sid } = await enter();
    socket.join('room');
    socket.data.name = 'Ada';
    const told: unknown[] = [];
    for (const name of ['interrupted', 'resumed', 'disconnect'] as const) {
      socket.on(name, (value: unknown) => told.push([name, typeof value]));
    }
    const answer = socket.emitWithAck('asks');
    const [, , question] = await ws.until(3);
    const interrupted = once(socket, 'interrupted');
    ws.cut();
    expect(await interrupted).toEqual(['transport close', undefined]);
    io.to('room').emit('news', 1);
    socket.volatile.emit('position', 1);
    socket.emit('bytes', Buffer.from([1]));
    expect(socket.connected).toBe(true);
    expect([io.engine.clientsCount, (await io.fetchSockets()).length]).toEqual([1, 1]);
    // As if the question had got lost with the connection.
    const again = attach(sid, 1);
    // The CONNECT of the client is its only message so far.
    expect((await again.until(5)).slice(0, 5)).toEqual([
      '71',
      question,
      '42["news",1]',
      '451-["bytes",{"_placeholder":true,"num":0}]',
      Buffer.from([1]),
    ]);
    again.send(`43${/^42(\d+)/.exec(String(question))?.[1]}["yes"]`);
    expect(await answer).toBe('yes');
    expect([socket.data.name, [...socket.rooms]]).toEqual(['Ada', [socket.id, 'room']]);
    expect(told).toEqual([
      ['interrupted', 'string'],
      ['resumed', 'number'],
    ]);
  });

  it('ends with its window, and its program reads what was not confirmed', async () => {
    const { io, enter } = await start({ session: { windowMs: 30 } });
    const { ws, socket } = await enter();
    ws.send('71');
    socket.emit('sent', 1);
    await ws.until(3);
    const ended = once(socket, 'disconnect');
    ws.cut();
    const [reason, outcome] = await ended;
    expect([reason, outcome.end]).toEqual(['transport close', 'expired']);
    expect(outcome.unconfirmed).toEqual([{ type: 'event', data: ['sent', 1] }]);
    expect([socket.connected, io.engine.clientsCount, io.of('/').adapter.rooms.size]).toEqual([false, 0, 0]);
  });

  it.each([
    ['lives', false],
    ['is interrupted', true],
  ])('reads what was not confirmed when the server closes while its session %s', async (_, isCut) => {
    const { io, enter } = await start({ session: { bufferMessages: 2 } });
    const { ws, socket } = await enter();
    const standard = await enter('');
    const admin = once(io.of('/admin'), 'connection');
    ws.send('40/admin,');
    const [second] = (await admin) as [Socket];
    await ws.until(3);
    ws.send('72');
    socket.emit('sent', Buffer.from([1]));
    const interrupted = once(socket, 'interrupted');
    if (isCut) {
      ws.cut();
      await interrupted;
    }
    second.emit('elsewhere');
    socket.emit('waits');
    const ends = [socket, second, standard.socket].map((each) => once(each, 'disconnect'));
    const closed = io.close();
    ws.cut();
    standard.ws.cut();
    const [[reason, outcome] = [], [, other] = [], [, nothing] = []] = await Promise.all(ends);
    await closed;
    expect([reason, outcome.end, nothing]).toEqual(['server shutting down', 'closed', undefined]);
    expect(outcome.unconfirmed).toEqual([
      { type: 'event', data: ['sent', Buffer.from([1])] },
      { type: 'event', data: ['waits'] },
    ]);
    expect(other.unconfirmed).toEqual([{ type: 'event', data: ['elsewhere'] }]);
  });

  it('is disconnected at once where its client speaks the standard', async () => {
    const { enter } = await start();
    const { ws, socket } = await enter('');
    const ended = once(socket, 'disconnect');
    ws.cut();
    expect((await ended)[0]).toBe('transport close');
  });
});

describe('connection state recovery', () => {
  it('stores nothing of a session that is interrupted, and its state once it is over', async () => {
    const { io, enter, attach } = await start({ connectionStateRecovery: {}, session: { windowMs: 300 } });
    const { ws, socket, sid } = await enter();
    const stored: string[] = [];
    const { adapter } = io.of('/');
    const { persistSession } = adapter;
    adapter.persistSession = (session) => {
      stored.push(session.sid);
      return persistSession.call(adapter, session);
    };
    const interrupted = once(socket, 'interrupted');
    ws.cut();
    await interrupted;
    const again = attach(sid, 1);
    await again.until(1);
    expect(stored).toEqual([]);
    const ended = once(socket, 'disconnect');
    again.cut();
    await ended;
    expect(stored).toEqual([socket.id]);
  });
});
