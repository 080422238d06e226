/** The interfaces of the standard on an HTTP/2 session. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketStream } from '../../../src/entry/websocket.ts';
import { echo, serve } from './scene.ts';

describe('on an HTTP/2 session', () => {
  it('WebSocket opens, talks and closes as the standard has it', async () => {
    const scene = await serve({ perMessageDeflate: true, handleProtocols: () => 'b' });
    echo(scene.wss);
    const socket = new WebSocket(scene.url, ['a', 'b'], { http2Session: await scene.connect() });
    await once(socket, 'open');
    expect([socket.protocol, socket.extensions]).toEqual(['b', 'permessage-deflate']);
    socket.send('text');
    const [event] = (await once(socket, 'message')) as [{ data: unknown }];
    expect(event.data).toBe('text');
    socket.close(4000, 'done');
    const [closed] = (await once(socket, 'close')) as [{ code: number; reason: string; wasClean: boolean }];
    expect([closed.code, closed.reason, closed.wasClean]).toEqual([4000, 'done', true]);
    expect(scene.sessions).toHaveLength(1);
  });

  it('WebSocket fails with error and close where the server refuses', async () => {
    const scene = await serve({ verifyClient: () => false });
    const socket = new WebSocket(scene.url, { http2Session: await scene.connect() });
    const events: string[] = [];
    for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => events.push(type));
    await new Promise((resolve) => socket.addEventListener('close', resolve));
    expect(events).toEqual(['error', 'close']);
  });

  it('WebSocketStream reads and writes', async () => {
    const scene = await serve();
    echo(scene.wss);
    const stream = new WebSocketStream(scene.url, { http2Session: await scene.connect() });
    const { readable, writable } = await stream.opened;
    const writer = writable.getWriter();
    const reader = readable.getReader();
    await writer.write(new Uint8Array([1, 2, 3]));
    expect((await reader.read()).value).toEqual(new Uint8Array([1, 2, 3]));
    stream.close({ closeCode: 4001, reason: 'enough' });
    expect(await stream.closed).toMatchObject({ closeCode: 4001, reason: 'enough' });
  });
});
