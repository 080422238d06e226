import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import type { Socket } from '../../../src/engine/server/session.ts';
import { closing, next, pollWaits, type Scene, type Session, startEngine } from './scene.ts';

interface Upgrading extends Scene, Session {
  /** A WebSocket that asks for the same session; opened. */
  openSecond(): Promise<{ ws: WebSocket; nextText(): Promise<string> }>;
}

async function scene(options?: ServerOptions): Promise<Upgrading> {
  const engine = await startEngine(options);
  const session = await engine.begin();
  return {
    ...engine,
    ...session,
    async openSecond() {
      const ws = new WebSocket(
        `ws://127.0.0.1:${engine.port}/engine.io/?EIO=4&transport=websocket&sid=${session.sid}`,
      );
      onTestFinished(() => ws.terminate());
      ws.on('error', () => {});
      await once(ws, 'open');
      return { ws, nextText: async () => String((await once(ws, 'message'))[0]) };
    },
  };
}

describe('an upgrade', () => {
  it('goes by probe, release of the poll, and takeover', async () => {
    const { socket, poll, openSecond } = await scene();
    const log: string[] = [];
    socket.on('upgrading', (transport) => log.push(`upgrading ${transport.name}`));
    socket.on('upgrade', (transport) => log.push(`upgrade ${transport.name}`));
    const waiting = poll();
    await pollWaits(socket);
    const { ws, nextText } = await openSecond();
    expect(socket.upgrading).toBe(true);
    ws.send('2probe');
    expect(await nextText()).toBe('3probe');
    expect((await waiting).body).toBe('6');
    expect(socket.transport.name).toBe('polling');
    const upgraded = next(socket, 'upgrade');
    ws.send('5');
    await upgraded;
    expect(socket).toMatchObject({ upgraded: true, upgrading: false });
    expect(socket.transport.name).toBe('websocket');
    expect(log).toEqual(['upgrading websocket', 'upgrade websocket']);
    socket.send('by WebSocket');
    expect(await nextText()).toBe('4by WebSocket');
    const message = next(socket, 'message');
    ws.send('4back');
    expect(await message).toEqual(['back']);
    expect((await poll()).status).toBe(400);
  });

  it('releases a poll that comes after the probe, too', async () => {
    const { socket, poll, openSecond } = await scene();
    const { ws, nextText } = await openSecond();
    ws.send('2probe');
    await nextText();
    expect((await poll()).body).toBe('6');
    expect((await poll()).body).toBe('6');
    expect(socket.readyState).toBe('open');
  });

  it('loses nothing of what is sent while neither transport can take it', async () => {
    const { socket, poll, post, openSecond } = await scene();
    const { ws, nextText } = await openSecond();
    ws.send('2probe');
    await nextText();
    socket.send('1');
    expect((await poll()).body).toBe('41');
    socket.send('2');
    socket.send('3');
    const message = next(socket, 'message');
    expect((await post('4last by POST')).body).toBe('ok');
    expect(await message).toEqual(['last by POST']);
    const texts: string[] = [];
    const both = new Promise<void>((resolve) => {
      ws.on('message', (data) => {
        if (texts.push(String(data)) === 2) resolve();
      });
    });
    ws.send('5');
    await both;
    expect(texts).toEqual(['42', '43']);
  });

  it('answers a poll that still waits at the takeover', async () => {
    const { socket, poll, openSecond } = await scene();
    const { ws } = await openSecond();
    const waiting = poll();
    await pollWaits(socket);
    const upgraded = next(socket, 'upgrade');
    ws.send('5');
    await upgraded;
    expect((await waiting).body).toBe('6');
    expect(socket.readyState).toBe('open');
  });

  it('keeps the heartbeat going', async () => {
    const { socket, openSecond } = await scene({ pingInterval: 60, pingTimeout: 5000 });
    const { ws, nextText } = await openSecond();
    ws.send('5');
    for (let i = 0; i < 3; i++) {
      const heartbeat = next(socket, 'heartbeat');
      expect(await nextText()).toBe('2');
      ws.send('3');
      await heartbeat;
    }
  });

  it.each(['x', '4message', '2', '1', 'b!'])(
    'fails with %j in place of the probe, and the session goes on',
    async (text) => {
      const { socket, post, openSecond } = await scene();
      const { ws } = await openSecond();
      const closed = once(ws, 'close');
      ws.send(text);
      await closed;
      expect(socket).toMatchObject({ readyState: 'open', upgrading: false, upgraded: false });
      expect((await post('4x')).body).toBe('ok');
      const { ws: again, nextText } = await openSecond();
      again.send('2probe');
      expect(await nextText()).toBe('3probe');
    },
  );

  it('fails when the connection breaks after the probe, and the session goes on', async () => {
    const { socket, poll, openSecond } = await scene();
    const { ws, nextText } = await openSecond();
    ws.send('2probe');
    await nextText();
    ws.terminate();
    while (socket.upgrading) await new Promise((resolve) => setImmediate(resolve));
    socket.send('still here');
    expect((await poll()).body).toBe('4still here');
  });

  it('fails when it takes too long', async () => {
    const { socket, openSecond } = await scene({ upgradeTimeout: 150 });
    const { ws } = await openSecond();
    ws.send('2probe');
    await once(ws, 'close');
    expect(socket).toMatchObject({ readyState: 'open', upgrading: false, upgraded: false });
  });

  it('ends with its session', async () => {
    const { socket, openSecond } = await scene();
    const { ws, nextText } = await openSecond();
    ws.send('2probe');
    await nextText();
    const closed = closing(socket);
    const gone = once(ws, 'close');
    socket.close(true);
    expect((await closed)[0]).toBe('forced close');
    await gone;
  });

  it('of a session that is being closed passes on what was sent, then closes', async () => {
    const { socket, openSecond } = await scene();
    const { ws, nextText } = await openSecond();
    ws.send('2probe');
    await nextText();
    socket.send('last');
    const closed = closing(socket);
    const gone = once(ws, 'close');
    socket.close();
    const text = nextText();
    ws.send('5');
    expect(await text).toBe('4last');
    expect((await closed)[0]).toBe('forced close');
    await gone;
  });
});

describe('an upgrade that cannot be', () => {
  async function refusalOf({ port }: Scene, sid: string): Promise<string> {
    const client = connect(port, '127.0.0.1');
    client.write(
      `GET /engine.io/?EIO=4&transport=websocket&sid=${sid} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    const [chunk] = await once(client, 'data');
    client.destroy();
    return String(chunk);
  }

  it('because one is under way is refused', async () => {
    const all = await scene();
    const { ws, nextText } = await all.openSecond();
    expect(await refusalOf(all, all.sid)).toMatch(/^HTTP\/1.1 400 [\s\S]*upgraded already/);
    ws.send('2probe');
    expect(await nextText()).toBe('3probe');
  });

  it('because the session has a WebSocket is refused, and the session goes on', async () => {
    const all = await scene();
    const { ws } = await all.openSecond();
    const upgraded = next(all.socket, 'upgrade');
    ws.send('5');
    await upgraded;
    expect(await refusalOf(all, all.sid)).toMatch(/^HTTP\/1.1 400 /);
    expect(all.socket.readyState).toBe('open');
  });

  it('because upgrades are off is refused', async () => {
    const all = await scene({ allowUpgrades: false });
    expect(await refusalOf(all, all.sid)).toMatch(/^HTTP\/1.1 400 [\s\S]*Upgrades are switched off/);
    expect((await all.post('4x')).body).toBe('ok');
  });
});

it('a session ends once, whatever ends it', async () => {
  const { socket, openSecond } = await scene();
  const reasons: string[] = [];
  (socket as Socket).on('close', (reason) => reasons.push(reason));
  const { ws } = await openSecond();
  const upgraded = next(socket, 'upgrade');
  ws.send('5');
  await upgraded;
  const gone = once(ws, 'close');
  socket.close();
  socket.close(true);
  ws.terminate();
  await gone;
  expect(reasons).toEqual(['forced close']);
});
