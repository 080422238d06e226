/**
 * What: the options of compression that `ws` does not have: the budget of all windows, and what does not shrink.
 * Must not know: how frames are made, and what zlib does.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { addressOf, close, implementations, listen, Scene, tautline } from './peers.ts';

const both = { client: tautline, server: tautline };

describe('the budget of a server', () => {
  // zlib's manual: an inflater takes its window and 7 kB. Half of this budget holds one, and not two.
  const budgetBytes = 2 * 60 * 1024;

  test.each(implementations)(
    'is kept with clients of $name by not letting more of them refer back',
    async (peer) => {
      const server = await listen(tautline, { perMessageDeflate: { budgetBytes } });
      server.on('connection', (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      const connect = async () => {
        const socket = new peer.WebSocket(addressOf(server));
        const [[response]] = await Promise.all([
          once(socket, 'upgrade') as Promise<[IncomingMessage]>,
          once(socket, 'open'),
        ]);
        return { socket, answer: response.headers['sec-websocket-extensions'] };
      };
      const first = await connect();
      const second = await connect();
      expect([first.answer, second.answer]).toEqual([
        'permessage-deflate',
        'permessage-deflate; client_no_context_takeover',
      ]);
      // Both sides keep to it, with windows that the small budget takes away between messages.
      const text = 'as long as it takes to be compressed '.repeat(50);
      for (const { socket } of [first, second, first, second]) {
        socket.send(text);
        expect(String((await once(socket, 'message'))[0])).toBe(text);
      }
      const gone = once([...server.clients][0]!, 'close');
      first.socket.close();
      await gone;
      // What the first was promised can be promised again.
      const third = await connect();
      expect(third.answer).toBe('permessage-deflate');
      for (const { socket } of [second, third]) {
        socket.close();
        await once(socket, 'close');
      }
      await close(server);
    },
  );

  test('gives way to a server that insists on what its clients may do', async () => {
    const server = await listen(tautline, {
      perMessageDeflate: { budgetBytes: 0, clientNoContextTakeover: false },
    });
    const socket = new tautline.WebSocket(addressOf(server));
    const [[response]] = await Promise.all([
      once(socket, 'upgrade') as Promise<[IncomingMessage]>,
      once(socket, 'open'),
    ]);
    expect(response.headers['sec-websocket-extensions']).toBe('permessage-deflate');
    socket.close();
    await once(socket, 'close');
    await close(server);
  });
});

describe('what does not shrink', () => {
  const picture = randomBytes(4096);

  /** Whether the frame that begins the next chunk on the wire says that it is compressed. */
  async function sendAndLook(scene: Scene, data: string | Buffer): Promise<boolean> {
    const chunk = once(scene.client._socket as Socket, 'data') as Promise<[Buffer]>;
    const message = once(scene.client, 'message');
    scene.peer.send(data);
    const [bytes] = await chunk;
    const [received] = await message;
    expect(String(received) === String(data)).toBe(true);
    return (bytes[0]! & 0x40) !== 0;
  }

  test('is sent as it is, and what shrinks behind it is compressed', async () => {
    const scene = await Scene.open(both, { server: { perMessageDeflate: true } });
    const text = 'words, words, words '.repeat(100);
    const seen: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      seen.push(await sendAndLook(scene, picture));
      seen.push(await sendAndLook(scene, text));
    }
    expect(seen).toEqual(Array.from({ length: 5 }, () => [false, true]).flat());
    // After the third one that was tried two are passed over: the last picture and one more.
    const zeros = Buffer.alloc(4096);
    const pause = [];
    for (let i = 0; i < 4; i++) pause.push(await sendAndLook(scene, zeros));
    expect(pause).toEqual([false, true, true, true]);
    scene.client.close();
    await scene.finish();
  });

  test('costs the time of trying each with adaptive: false', async () => {
    const scene = await Scene.open(both, { server: { perMessageDeflate: { adaptive: false } } });
    for (let i = 0; i < 10; i++) expect(await sendAndLook(scene, picture)).toBe(false);
    expect(await sendAndLook(scene, Buffer.alloc(4096))).toBe(true);
    scene.client.close();
    await scene.finish();
  });
});
