/**
 * What: shows that socket.io's client sees the same of our server as of socket.io's, whatever carries it.
 * Must not know: how either server works.
 */
import { describe, expect, it } from 'vitest';
import type { Socket } from '../../../src/hub/socket.ts';
import { type ClientSocket, expectParity, type Scenario, transportTable } from './stage.ts';

const everyKind = [1, -0.5, 'two', '', 'é😀\u2028', true, null, [1, ['x']], { a: { b: [] } }] as const;
const bytes = (...values: number[]) => Buffer.from(values);

/** The next socket of the main namespace, or of the one named. */
const nextSocket = (stage: Parameters<Scenario>[0], nsp = '/'): Promise<Socket> =>
  new Promise((resolve) => stage.io.of(nsp).once('connection', resolve));

describe.each(transportTable)('socket.io-client over %s', (_title, transport) => {
  const parity = (scenario: Scenario, options: Parameters<typeof expectParity>[2] = {}): Promise<unknown[]> =>
    expectParity(scenario, transport, options);

  it('connects, and the server knows the handshake', async () => {
    const seen = await parity(async (stage) => {
      const { io } = stage;
      io.on('connect', (socket) => {
        const { headers, address, xdomain, secure, url, query, auth, issued, time } = socket.handshake;
        const { t, sid, ...rest } = query;
        stage.log('server', { address, xdomain, secure, rest, auth, own: headers['x-own'] });
        stage.log(url.split('?')[0], Math.abs(Date.now() - issued) < 5000, Number.isNaN(Date.parse(time)));
        stage.log(socket.connected, socket.recovered, socket.data, socket.rooms.size, socket.nsp.name);
        stage.log(socket.id !== socket.conn.id, socket.request === socket.conn.request);
        stage.log(io.engine.clientsCount, io.sockets.sockets.size, socket.conn.protocol);
      });
      const options = { auth: { token: 'abc' }, query: { x: 'a b' }, extraHeaders: { 'x-own': 'h' } };
      const client = await stage.connect('/', options);
      stage.log('client', client.connected, client.recovered, io.sockets.sockets.has(client.id as string));
    });
    expect(seen).toHaveLength(6);
  });

  it('is refused with a message and data', async () => {
    const seen = await parity(async (stage) => {
      stage.io.use((socket, next) => {
        if (socket.handshake.auth.token === 'good') next();
        else next(Object.assign(new Error('not authorized'), { data: { code: 401, list: [1] } }));
      });
      stage.client('/', { auth: { token: 'bad' } }).on('connect_error', (error) => {
        const { message, data } = error as Error & { data?: unknown };
        stage.log(message, data, stage.io.sockets.sockets.size, stage.io.sockets.adapter.rooms.size);
      });
      await stage.until(1);
      await stage.connect('/', { auth: { token: 'good' } });
      stage.log(stage.io.sockets.sockets.size);
    });
    expect(seen).toEqual([['not authorized', { code: 401, list: [1] }, 0, 0], 1]);
  });

  it('emits many arguments of every kind, both ways', async () => {
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      socket.on('many', (...args) => stage.log('server', args));
      client.on('many', (...args) => stage.log('client', args));
      client.emit('many', ...everyKind);
      socket.emit('many', ...everyKind);
      client.emit('many');
      socket.emit('many', undefined, new Date(0), Number.NaN);
      client.send('x', 1);
      socket.on('message', (...args) => stage.log('server', 'message', args));
      await stage.until(5);
      // Each side in its own order: which is first is chance.
      stage.seen.sort((a, b) => ((a as string[])[0] as string).localeCompare((b as string[])[0] as string));
    });
    expect(seen).toContainEqual(['server', [...everyKind]]);
    expect(seen).toContainEqual(['client', [...everyKind]]);
  });

  it('gets acknowledgements both ways, in any number, with any arguments', async () => {
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      socket.on('ask', (...args) => args.pop()('from the server', args, bytes(1, 2)));
      client.on('ask', (...args) => args.pop()('from the client', args, bytes(3)));
      socket.on('bare', (ack) => ack());
      client.on('bare', (ack) => ack());
      await new Promise<void>((resolve) =>
        client.emit('ask', 1, 'a', (...answer: unknown[]) => {
          stage.log(answer);
          resolve();
        }),
      );
      await new Promise<void>((resolve) =>
        socket.emit('ask', 2, 'b', (...answer: unknown[]) => {
          stage.log(answer);
          resolve();
        }),
      );
      stage.log(await client.emitWithAck('ask', 3), await socket.emitWithAck('ask', 4));
      stage.log(await client.emitWithAck('bare'), await socket.emitWithAck('bare'));
      const many = Array.from({ length: 50 }, (_, i) => [
        client.emitWithAck('ask', i),
        socket.emitWithAck('ask', i),
      ]);
      stage.log((await Promise.all(many.flat())).length);
      stage.log(await client.timeout(5000).emitWithAck('ask'), await socket.timeout(5000).emitWithAck('ask'));
    });
    expect(seen).toHaveLength(6);
  });

  it('reports acknowledgements that do not come, both ways', async () => {
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      await new Promise<void>((resolve) =>
        socket.timeout(20).emit('silence', 1, (...args: unknown[]) => {
          stage.log('callback', args.length, (args[0] as Error).message);
          resolve();
        }),
      );
      await socket
        .timeout(20)
        .emitWithAck('silence')
        .catch((error) => stage.log('server', error.message));
      await client
        .timeout(20)
        .emitWithAck('silence')
        .catch((error) => stage.log('client', error.message));
      await stage.io
        .timeout(20)
        .emitWithAck('silence')
        .catch((error) => stage.log('broadcast', error.message, error.responses));
    });
    expect(seen).toHaveLength(4);
  });

  it('carries bytes at any depth, both ways, in acknowledgements too', async () => {
    const nested = { a: [bytes(), { b: bytes(1, 2, 3), c: 'x', d: null }], e: { f: { g: [[bytes(255)]] } } };
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      socket.on('nested', (value, buffer, ack) => {
        stage.log('server', value, Buffer.isBuffer(buffer));
        ack({ again: value }, bytes(9));
      });
      client.on('nested', (value) => stage.log('client', value));
      client.emit('nested', nested, new Uint8Array([7]), (...args: unknown[]) => stage.log('ack', args));
      await stage.until(2);
      socket.emit('nested', nested);
      socket.emit('nested', new Uint8Array([1, 2, 3]).buffer);
      socket.emit('nested', new Uint16Array([1, 2]));
      await stage.until(5);
    });
    expect(seen[0]).toEqual(['server', nested, true]);
  });

  it('is reached by rooms, all operators, and each once', async () => {
    const seen = await parity(async (stage) => {
      const { io } = stage;
      const names = ['a', 'b', 'c'];
      io.on('connection', (socket) => {
        socket.data.name = socket.handshake.auth.name;
        socket.join(socket.handshake.auth.rooms);
      });
      const clients: ClientSocket[] = [];
      for (const [i, rooms] of [['x'], ['x', 'y'], ['y']].entries()) {
        const name = names[i];
        const client = await stage.connect('/', { auth: { name, rooms } });
        client.on('e', (what) => stage.log(`${name} got ${what}`));
        clients.push(client);
      }
      const [a] = (await io.fetchSockets()) as unknown as [Socket];
      const play = async (what: string, act: () => unknown): Promise<void> => {
        const before = stage.seen.length;
        act();
        await Promise.all(clients.map((client) => stage.settle(client)));
        const got = stage.seen.splice(before) as string[];
        stage.log(what, got.sort());
      };
      await play('io.emit', () => io.emit('e', 1));
      await play('io.to', () => io.to('x').emit('e', 2));
      await play('io.to.to', () => io.to('x').to('y').emit('e', 3));
      await play('io.except', () => io.except('y').emit('e', 4));
      await play('io.to.except', () => io.to(['x', 'y']).except(a.id).emit('e', 5));
      await play('socket.to', () => a.to('x').emit('e', 6));
      await play('socket.broadcast', () => a.broadcast.emit('e', bytes(7)));
      await play('socket.except', () => a.except('y').emit('e', 8));
      await play('compress, local', () => io.compress(false).local.emit('e', 9));
      await play('socketsJoin', () => {
        io.in('y').socketsJoin('z');
        io.to('z').emit('e', 10);
      });
      await play('socketsLeave', () => {
        io.socketsLeave(['x', 'z']);
        io.to('x').to('z').emit('e', 11);
      });
      stage.log((await io.in('y').fetchSockets()).map(({ data }) => data.name));
      stage.log([...io.sockets.adapter.rooms.keys()].filter((room) => room.length === 1));
      clients[1]?.on('ask', (ack) => ack('b'));
      clients[2]?.on('ask', (ack) => ack('c'));
      stage.log(((await io.to('y').timeout(5000).emitWithAck('ask')) as string[]).sort());
      stage.log(await io.to('nobody').timeout(5000).emitWithAck('ask'));
    });
    expect(seen).toContainEqual(['io.to.to', ['a got 3', 'b got 3', 'c got 3']]);
  });

  it('enters namespaces with credentials of their own', async () => {
    const seen = await parity(async (stage) => {
      const { io } = stage;
      const admin = io.of('/admin');
      admin.use((socket, next) => next(socket.handshake.auth.key === 'k' ? undefined : new Error('no key')));
      admin.on('connection', (socket) => {
        socket.on('who', (ack) => ack(socket.nsp.name, socket.handshake.auth));
        socket.emit('welcome');
      });
      const main = await stage.connect('/', { auth: { key: 'main' } });
      const good = main.io.socket('/admin', { auth: { key: 'k' } });
      good.on('welcome', () => stage.log('welcome'));
      await stage.until(1);
      stage.log(await good.emitWithAck('who'), io.engine.clientsCount);
      const bad = stage.client('/admin', { auth: { key: 'wrong' } });
      bad.on('connect_error', (error) => stage.log('bad', error.message));
      await stage.until(3);
      stage.client('/nowhere').on('connect_error', (error) => stage.log('nowhere', error.message));
      await stage.until(4);
      good.disconnect();
      await stage.settle(main);
      stage.log(admin.sockets.size, main.connected);
    });
    expect(seen).toHaveLength(5);
  });

  it('enters namespaces made for a pattern', async () => {
    await parity(
      async (stage) => {
        const { io } = stage;
        io.on('new_namespace', ({ name }) => stage.log('new', name));
        const parent = io.of(/^\/room-\d+$/);
        parent.on('connection', (socket) => stage.log('connection', socket.nsp.name));
        const first = await stage.connect('/room-1');
        const second = await stage.connect('/room-2');
        for (const client of [first, second]) client.on('all', () => stage.log('all'));
        parent.emit('all');
        await stage.until(6);
        const left = new Promise((resolve) => {
          [...io.of('/room-1').sockets.values()][0]?.on('disconnect', resolve);
        });
        first.disconnect();
        await left;
        stage.log(io._nsps.has('/room-1'), io._nsps.has('/room-2'));
      },
      { cleanupEmptyChildNamespaces: true },
    );
  });

  const ends: [
    string,
    (socket: Socket, act: { client: () => void; engine: () => void; io: () => void }) => void,
  ][] = [
    ['the client leaves', (_socket, act) => act.client()],
    ['the connection of the client closes', (_socket, act) => act.engine()],
    ['the server sends it away', (socket) => void socket.disconnect()],
    ['the server closes its connection', (socket) => void socket.disconnect(true)],
    ['the server closes its session', (socket) => void socket.conn.close()],
    ['the server shuts down', (_socket, act) => act.io()],
  ];
  it.each(ends)('tells both sides the reason when %s', async (_what, end) => {
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connectForGood();
      const socket = await entered;
      socket.join('room');
      // Each side by itself: which of the two learns it first is chance.
      const onServer: unknown[] = [];
      socket.on('disconnecting', (reason) => onServer.push('disconnecting', reason, socket.rooms.size));
      const server = new Promise<void>((resolve) =>
        socket.on('disconnect', (reason) => {
          onServer.push('disconnect', reason, socket.rooms.size, socket.connected);
          resolve();
        }),
      );
      const onClient = new Promise((resolve) => client.on('disconnect', resolve));
      end(socket, {
        client: () => void client.disconnect(),
        engine: () => client.io.engine.close(),
        io: () => void stage.io.close(),
      });
      await server;
      stage.log(onServer, await onClient, client.active);
    });
    expect(seen).toHaveLength(1);
  });

  it('sends and receives messages of 900 kB', async () => {
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      socket.on('big', (text, ack) => ack(text.length, text));
      socket.on('binary', (buffer, ack) => ack(buffer.length, buffer));
      const text = 'xé'.repeat(300_000);
      // Polling writes bytes as base64, a third longer, and the limit of a request is 1,000,000.
      const buffer = Buffer.alloc(700_000, 'abcdef');
      for (const [event, value] of [['big', text] as const, ['binary', buffer] as const]) {
        await new Promise<void>((resolve) =>
          client.emit(event, value, (length: number, back: typeof value) => {
            stage.log(event, length, typeof back === 'string' ? back === value : buffer.equals(back));
            resolve();
          }),
        );
      }
    });
    expect(seen).toEqual([
      ['big', 600_000, true],
      ['binary', 700_000, true],
    ]);
  });

  it('keeps 2,000 messages in order, both ways, texts and bytes', async () => {
    const seen = await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      const count = 2000;
      const collect = (side: Pick<Socket, 'on'> | typeof client, name: string): Promise<void> =>
        new Promise((resolve) => {
          let next = 0;
          let isInOrder = true;
          (side as Socket).on('n', (value: number | { n: Buffer }) => {
            const number = typeof value === 'number' ? value : value.n.readUInt16BE();
            isInOrder &&= number === next;
            if (++next === count) {
              stage.seen.push([name, isInOrder]);
              resolve();
            }
          });
        });
      const done = [collect(socket, 'server'), collect(client, 'client')];
      for (let i = 0; i < count; i++) {
        const value = i % 7 === 0 ? { n: Buffer.from([i >> 8, i & 255]) } : i;
        socket.emit('n', value);
        client.emit('n', value);
        // Some turns in between, so that the upgrade happens amid the stream.
        if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(done);
      stage.seen.sort();
    });
    expect(seen).toEqual([
      ['client', true],
      ['server', true],
    ]);
  });

  it('passes middlewares of the socket and catch-all listeners', async () => {
    await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      socket.use(([name, ...args], next) => {
        stage.log('use', name, args);
        next(name === 'bad' ? new Error('refused') : undefined);
      });
      socket.on('error', (error) => stage.log('error', error.message));
      socket.onAny((name, ...args) => stage.log('any', name, args));
      socket.onAnyOutgoing((name, ...args) => stage.log('out', name, args));
      socket.on('good', () => stage.log('good'));
      socket.on('bad', () => stage.log('bad'));
      client.emit('good', 1);
      await stage.until(3);
      client.emit('bad', 2);
      await stage.until(6);
      socket.emit('x', 1);
      stage.io.emit('y', 2);
      await stage.until(8);
    });
  });

  it('finds its state again after a broken connection', async () => {
    const seen = await parity(
      async (stage) => {
        const { io } = stage;
        io.on('connection', (socket) => {
          stage.log('connection', socket.recovered, socket.data, [...socket.rooms].length);
          socket.on('disconnect', () => {
            socket.emit('e', 'to it');
            io.to('room').emit('e', 'to the room');
            io.except('room').emit('e', 'not for it');
          });
        });
        const entered = nextSocket(stage);
        const options = { reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 10 };
        const client = await stage.connect('/', options);
        const socket = await entered;
        const { id } = client;
        socket.join('room');
        socket.data.name = 'n';
        client.on('e', (text) => stage.log('e', text));
        socket.emit('e', 'first');
        await stage.until(2);
        client.io.engine.close();
        await new Promise((resolve) => client.once('connect', () => resolve(undefined)));
        stage.log('again', client.recovered, client.id === id);
        await stage.until(6);
      },
      { connectionStateRecovery: {} },
    );
    expect(seen).toContainEqual(['connection', true, { name: 'n' }, 2]);
    expect(seen).toContainEqual(['again', true, true]);
  });

  it('is closed when it does not keep the protocol', async () => {
    for (const message of [
      '0',
      '2["x"',
      '2["disconnect"]',
      '4{"message":"x"}',
      '2/other,["x"]',
      'nonsense',
    ]) {
      const seen = await parity(async (stage) => {
        const entered = nextSocket(stage);
        const client = await stage.connectForGood();
        const socket = await entered;
        const server = new Promise((resolve) => socket.on('disconnect', resolve));
        const ended = new Promise((resolve) => client.on('disconnect', resolve));
        client.io.engine.write(message);
        stage.log(message, await server, await ended);
      });
      expect(seen).toHaveLength(1);
    }
  });
});

describe('the upgrade', () => {
  it('is made, and the conn tells of it', async () => {
    const seen = await expectParity(
      async (stage) => {
        stage.io.on('connection', ({ conn }) => {
          stage.log(conn.transport.name);
          conn.once('upgrade', (to: { name: string }) => stage.log(to.name, conn.transport.name));
        });
        await stage.connect();
        await stage.until(2);
      },
      { transports: ['polling', 'websocket'] },
    );
    expect(seen).toEqual(['polling', ['websocket', 'websocket']]);
  });
});

describe('the surface of the server', () => {
  const parity = (scenario: Scenario, options: Parameters<typeof expectParity>[2] = {}): Promise<unknown[]> =>
    expectParity(scenario, { transports: ['websocket'] }, options);

  it('has namespaces by any spelling of their names, and refuses reserved names', async () => {
    const seen = await parity(async (stage) => {
      const { io } = stage;
      const nsp = io.of('chat');
      stage.log(io.of('') === io.sockets, io.of('/') === io.sockets, io.of('/chat') === nsp, nsp.name);
      const entered = nextSocket(stage, '/chat');
      await stage.connect('/chat');
      const socket = await entered;
      const names = [
        'connect',
        'connect_error',
        'disconnect',
        'disconnecting',
        'newListener',
        'removeListener',
      ];
      for (const name of [...names, 'connection']) {
        for (const target of [io, nsp, nsp.to('room'), socket, socket.broadcast]) {
          try {
            (target as Socket).emit(name as never);
            stage.log(name, 'sent');
          } catch (error) {
            stage.log((error as Error).message);
          }
        }
      }
      for (const name of ['connect', 'connection', 'new_namespace']) {
        try {
          io.serverSideEmit(name as never);
          stage.log(name, 'sent');
        } catch (error) {
          stage.log((error as Error).message);
        }
      }
    });
    expect(seen).toContain('"connect" is a reserved event name');
  });

  it('keeps catch-all listeners in order, of both directions', async () => {
    await parity(async (stage) => {
      const entered = nextSocket(stage);
      const client = await stage.connect();
      const socket = await entered;
      const late = () => stage.log('late');
      const early = () => stage.log('early');
      socket.onAny(late).prependAny(early).onAny(late);
      stage.log(socket.listenersAny().length, socket.listenersAny()[0] === early);
      socket.onAnyOutgoing(late).prependAnyOutgoing(early);
      stage.log(socket.listenersAnyOutgoing().length, socket.listenersAnyOutgoing()[0] === early);
      socket.on('e', () => stage.log('e'));
      client.emit('e');
      await stage.until(6);
      socket.offAny(late).offAnyOutgoing(early);
      stage.log(socket.listenersAny().length, socket.listenersAnyOutgoing().length);
      client.emit('e');
      await stage.until(10);
      socket.send('x').write('y');
      socket.volatile.compress(false).emit('z');
      socket.offAny().offAnyOutgoing();
      stage.log(socket.listenersAny().length, socket.listenersAnyOutgoing().length);
    });
  });

  it('moves and ends sockets from the namespace, and shows its operators', async () => {
    await parity(async (stage) => {
      const { io } = stage;
      io.on('connection', (socket) => socket.join(['a', socket.handshake.auth.room]));
      const one = await stage.connect('/', { auth: { room: 'one' } });
      const two = await stage.connect('/', { auth: { room: 'two' } });
      const ids = async (operator: { allSockets(): Promise<Set<string>> }) =>
        [...(await operator.allSockets())]
          .map((id) => (id === one.id ? 'one' : id === two.id ? 'two' : id))
          .sort();
      stage.log(
        await ids(io),
        await ids(io.in('one')),
        await ids(io.to(['one', 'two'])),
        await ids(io.in('no')),
      );
      const operator = io.to('one').except(['two']).volatile.local.compress(false).timeout(10) as unknown as {
        rooms: Set<string>;
        exceptRooms: Set<string>;
        flags: object;
      };
      stage.log([...operator.rooms], [...operator.exceptRooms], operator.flags);
      io.in('one').socketsJoin(['b', 'c']);
      io.socketsLeave('a');
      const [socket] = await io.in('one').fetchSockets();
      stage.log([...(socket?.rooms ?? [])].filter((room) => room !== socket?.id));
      (socket as unknown as Socket).leaveAll();
      stage.log(socket?.rooms.size, io.sockets.adapter.rooms.has('b'), io.sockets.adapter.sids.size);
      const left: string[] = [];
      const ended = [one, two].map(
        (client) =>
          new Promise<void>((resolve) =>
            client.once('disconnect', (reason) => resolve(void left.push(reason))),
          ),
      );
      io.in('two').disconnectSockets();
      // Who is in no room, not even its own, is reached by no broadcast.
      io.disconnectSockets(true);
      (socket as unknown as Socket).disconnect(true);
      await Promise.all(ended);
      stage.log(left.sort(), io.sockets.sockets.size);
    });
  });

  it('reads and sets what was given, and closes with a promise and a callback', async () => {
    await parity(async (stage) => {
      const { io } = stage;
      stage.log(
        io.path(),
        io.serveClient(),
        io.connectTimeout(),
        typeof io.adapter(),
        typeof io.encoder.encode,
      );
      stage.log(
        io.path('/x/').path(),
        io.serveClient(false).serveClient(),
        io.connectTimeout(7777).connectTimeout(),
      );
      const client = await stage.connectForGood();
      const [socket] = await io.fetchSockets();
      const both = [client, socket as unknown as Socket].map(
        (side) => new Promise((resolve) => (side as Socket).once('disconnect', (reason) => resolve(reason))),
      );
      let isCalled = false;
      await io.close((error) => {
        isCalled = error === undefined;
      });
      stage.log(isCalled, await Promise.all(both), stage.httpServer.listening);
      await io.close((error) => stage.log((error as NodeJS.ErrnoException).code));
    });
  });
});
