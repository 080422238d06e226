/**
 * What: a WebSocket as a Duplex, of ours and of `ws`, over both implementations.
 * Must not know: frames.
 */
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { addressOf, close, implementations, Journal, listen, Scene } from './peers.ts';

describe.each(implementations)('createWebSocketStream of $name', (implementation) => {
  const { WebSocket, createWebSocketStream } = implementation;
  const both = { client: implementation, server: implementation };

  test('is a Duplex that sends bytes, reads bytes, and ends the connection', async () => {
    const { client, peer, server } = await Scene.open(both);
    const left = createWebSocketStream(client);
    const right = createWebSocketStream(peer);
    expect(left).toBeInstanceOf(Duplex);
    const closed = [once(left, 'close'), once(right, 'close')];
    const content = randomBytes(1_000_000);
    const hash = createHash('sha1');
    right.on('data', (chunk: Buffer) => hash.update(chunk));
    right.on('end', () => right.end());
    left.on('data', () => expect.unreachable());
    await pipeline(Readable.from(pieces(content)), left);
    await Promise.all(closed);
    expect(hash.digest('hex')).toBe(createHash('sha1').update(content).digest('hex'));
    expect([client.readyState, peer.readyState]).toEqual([3, 3]);
    await close(server);
  });

  test('waits for open before it writes', async () => {
    const server = await listen(implementation);
    server.on('connection', (peer) =>
      peer.on('message', (data, isBinary) => peer.close(1000, `${data}${isBinary}`)),
    );
    const socket = new WebSocket(addressOf(server));
    const stream = createWebSocketStream(socket);
    stream.write('early');
    stream.resume();
    const reason = new Promise((resolve) => socket.on('close', (_code, text) => resolve(text.toString())));
    expect(await reason).toBe('earlytrue');
    stream.end();
    await once(stream, 'close');
    await close(server);
  });

  test('ends when it is ended before open', async () => {
    const server = await listen(implementation);
    const codes = new Promise((resolve) => {
      server.on('connection', (peer) => peer.on('close', resolve));
    });
    const stream = createWebSocketStream(new WebSocket(addressOf(server)));
    stream.resume();
    stream.end();
    await once(stream, 'close');
    expect(await codes).toBe(1005);
    await close(server);
  });

  test('reads text as a string in object mode, as bytes otherwise', async () => {
    for (const [options, expected] of [
      [{}, [Buffer.from('text'), Buffer.from('bytes')]],
      [{ readableObjectMode: true }, ['text', Buffer.from('bytes')]],
      [{ encoding: 'utf8' as const }, ['text', 'bytes']],
    ] as const) {
      const { client, peer, server } = await Scene.open(both);
      const stream = createWebSocketStream(client, { ...options });
      const read: unknown[] = [];
      stream.on('data', (chunk) => read.push(chunk));
      peer.send('text');
      peer.send(Buffer.from('bytes'));
      peer.close();
      await once(stream, 'end');
      stream.end();
      await once(stream, 'close');
      expect(read).toEqual(expected);
      await close(server);
    }
  });

  test('pauses the socket for a slow reader, and loses nothing', async () => {
    const { client, peer, server } = await Scene.open(both);
    const stream = createWebSocketStream(client, { readableHighWaterMark: 10 });
    peer.send('x'.repeat(50));
    await once(client, 'message');
    expect(client.isPaused).toBe(true);
    peer.send('y'.repeat(50));
    peer.close(1000);
    let read = '';
    for await (const chunk of stream) read += String(chunk);
    expect(read).toBe('x'.repeat(50) + 'y'.repeat(50));
    await close(server);
  });

  test('resumes a socket that is closing', async () => {
    const { client, peer, server } = await Scene.open(both);
    const stream = createWebSocketStream(client);
    const paused = once(client, 'message');
    peer.send(randomBytes(1024 * 1024));
    await paused;
    expect(client.isPaused).toBe(true);
    const closed = once(stream, 'close');
    stream.end();
    await new Promise((resolve) => process.nextTick(resolve));
    expect(client.readyState).toBe(2);
    stream.resume();
    await closed;
    await close(server);
  });

  test('reports the errors of the socket once', async () => {
    const { client, peer, server } = await Scene.open(both);
    const journal = new Journal();
    const stream = createWebSocketStream(client);
    client.on('error', () => {});
    stream.on('error', (error) => journal.note('error', error));
    const closed = new Promise<void>((resolve) => {
      stream.on('close', () => {
        journal.note('close');
        resolve();
      });
    });
    // RFC 6455 section 5.2: reserved bits must be clear.
    (peer._socket as Duplex).write(Buffer.from([0xf1, 0x00]));
    await closed;
    expect(journal.lines).toEqual([
      'error RangeError(Invalid WebSocket frame: RSV2 and RSV3 must be clear, WS_ERR_UNEXPECTED_RSV_2_3)',
      'close',
    ]);
    await close(server);
  });

  test('reports a connection that cannot be made', async () => {
    const stream = createWebSocketStream(new WebSocket('ws://127.0.0.1:1'));
    const [error] = await once(stream, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('destroyed ends the connection roughly, with the error if there is one', async () => {
    for (const error of [undefined, new Error('enough')]) {
      const scene = await Scene.open(both);
      const stream = createWebSocketStream(scene.client);
      const journal = new Journal();
      stream.on('error', (thrown) => journal.note('error', thrown));
      const closed = new Promise((resolve) => stream.on('close', resolve));
      stream.destroy(error);
      await closed;
      const { server } = await scene.finish();
      expect(server).toEqual(['close 1006 Buffer() state 3']);
      expect(journal.lines).toEqual(error === undefined ? [] : ['error Error(enough)']);
    }
  });

  test('destroyed while connecting reports that', async () => {
    const server = await listen(implementation);
    const stream = createWebSocketStream(new WebSocket(addressOf(server)));
    stream.destroy();
    const [error] = await once(stream, 'error');
    expect(String(error)).toBe('Error: WebSocket was closed before the connection was established');
    await close(server);
  });

  test('written to when closed reports that', async () => {
    const { client, server } = await Scene.open(both);
    const stream = createWebSocketStream(client);
    client.close();
    await once(client, 'close');
    stream.write('late');
    const [error] = await once(stream, 'error');
    expect(String(error)).toBe('Error: WebSocket is not open: readyState 3 (CLOSED)');
    await close(server);
  });

  test('takes anything that looks like a WebSocket', async () => {
    class LookAlike extends EventEmitter {
      readyState = 1;
      isPaused = false;
      sent: unknown[] = [];
      _socket = null;
      send(data: unknown, callback: () => void) {
        this.sent.push(data);
        callback();
      }
      pause() {}
      resume() {}
      close() {
        this.readyState = 3;
        this.emit('close', 1000, Buffer.alloc(0));
      }
      terminate() {
        this.close();
      }
    }
    const look = new LookAlike();
    const stream = createWebSocketStream(look as never);
    stream.write('abc');
    expect(look.sent).toEqual([Buffer.from('abc')]);
    const read = once(stream, 'data');
    look.emit('message', Buffer.from('def'), true);
    expect((await read)[0]).toEqual(Buffer.from('def'));
    stream.destroy();
    await once(stream, 'close');
  });
});

function* pieces(content: Buffer) {
  for (let i = 0; i < content.length; i += 10_007) yield content.subarray(i, i + 10_007);
}
