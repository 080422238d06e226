import { describe, expect, it } from 'vitest';
import { nodeByteCodec } from '../../../../src/transport/platform/node-byte-codec.ts';
import { SseServerTransport } from '../../../../src/transport/sse/node-server.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';
import { FakeClock } from '../../sse/fake-clock.ts';
import { request, ScriptedResponse } from '../../sse/scripted-response.ts';

const message = (data: string | Uint8Array) => new OutgoingPacket(PacketType.message, data);
const ping = new OutgoingPacket(PacketType.ping);

function make() {
  const clock = new FakeClock();
  const response = Object.assign(new ScriptedResponse(), { req: request() });
  const transport = new SseServerTransport(
    {
      codec: nodeByteCodec,
      clock,
      closeTimeoutMs: 30_000,
      onHeaders: (headers, _request, sid) => {
        headers['X-Sid'] = sid;
      },
    },
    'abc',
  );
  const log: unknown[][] = [];
  transport.sink = {
    transportOpened: () => log.push(['opened']),
    transportReceived: (type, data) => log.push([type, data]),
    transportDrained: () => log.push(['drained']),
    transportClosed: ({ by, error }) => log.push(['closed', by, error]),
  };
  return { clock, response, transport, log };
}

function opened(index = 0) {
  const s = make();
  s.transport.handleGet(s.response.asResponse, index);
  s.response.take();
  s.log.length = 0;
  return s;
}

describe('the event stream of a session', () => {
  it('carries nothing before its request is there, then says so', () => {
    const { transport, response, log } = make();
    expect(transport.isWritable).toBe(false);
    transport.handleGet(response.asResponse, 0);
    expect(log).toEqual([['drained']]);
    expect([transport.isWritable, transport.writable, transport.name]).toEqual([true, true, 'sse']);
    expect(response.take()).toBe('retry: 1000\n\n');
    expect(response.headers).toMatchObject({ 'Content-Type': 'text/event-stream', 'X-Sid': 'abc' });
  });

  it('gives messages as id the count after them, and other packets none', () => {
    const { transport, response } = opened(41);
    transport.send([
      new OutgoingPacket(PacketType.count, '7'),
      message('a'),
      ping,
      message(Uint8Array.of(1, 2)),
    ]);
    transport.send([message('b\r\nc')]);
    expect(response.take()).toBe(
      'data: 77\n\nid: 42\ndata: 4a\n\ndata: 2\n\nid: 43\ndata: bAQI=\n\n' +
        'id: 44\nevent: json\ndata: "4b\\r\\nc"\n\n',
    );
  });

  it('encodes a packet once for all streams', () => {
    const [a, b] = [opened(), opened(5)];
    const packet = message(new Uint8Array(1000));
    a.transport.send([packet]);
    const { encodedText } = packet;
    b.transport.send([packet]);
    expect(packet.encodedText).toBe(encodedText);
    expect(b.response.take().startsWith('id: 6\ndata: bAAAA')).toBe(true);
  });

  it('is not writable while the client reads slowly', () => {
    const { transport, response, log } = opened();
    response.hasRoom = false;
    transport.send([message('a')]);
    expect([transport.isWritable, transport.bufferedBytes]).toEqual([false, 16_384]);
    response.read();
    expect([log, transport.isWritable]).toEqual([[['drained']], true]);
  });

  it('waits for another stream for a while when it breaks, and then is over', () => {
    const { transport, response, log, clock } = opened();
    response.leave();
    expect([transport.isWritable, log]).toEqual([false, []]);
    transport.send([message('a')]);
    expect(response.take()).toBe('');
    clock.advance(2999);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(log).toEqual([['closed', 'byPeer', undefined]]);
    transport.close();
    transport.terminate();
    expect([log.length, clock.timers]).toEqual([1, 0]);
  });

  it('leaves the place to another stream that comes meanwhile', () => {
    const { transport, response, log, clock } = opened();
    response.leave();
    transport.close();
    expect(log).toEqual([['closed', 'byUs', undefined]]);
    expect(clock.timers).toBe(0);
  });

  it('sends what was sent, then ends, and cuts who does not read it', () => {
    const { transport, response, log, clock } = opened();
    transport.send([message('a')]);
    transport.close();
    transport.close();
    expect([response.text, response.writableEnded, response.destroyed]).toEqual([
      'id: 1\ndata: 4a\n\n',
      true,
      false,
    ]);
    expect(log).toEqual([['closed', 'byUs', undefined]]);
    transport.send([message('b')]);
    expect(response.text).toBe('id: 1\ndata: 4a\n\n');
    clock.advance(30_000);
    expect(response.destroyed).toBe(true);
  });

  it('waits no more for who has read everything', () => {
    const { transport, response, clock } = opened();
    transport.close();
    response.leave();
    expect(clock.timers).toBe(0);
  });

  it('is cut at once when it is terminated', () => {
    const { transport, response, log } = opened();
    transport.terminate();
    expect([response.destroyed, log]).toEqual([true, [['closed', 'byUs', undefined]]]);
  });

  it('is over when the client has gone before it began', () => {
    const { transport, response, log, clock } = make();
    response.destroyed = true;
    transport.handleGet(response.asResponse, 0);
    expect([transport.isWritable, log]).toEqual([false, []]);
    clock.advance(3000);
    expect(log).toEqual([['closed', 'byPeer', undefined]]);
  });

  it('answers a request that comes when it is closed already', () => {
    const { transport, response } = make();
    transport.close();
    transport.handleGet(response.asResponse, 0);
    expect([response.status, response.text, response.writableEnded]).toEqual([200, '', true]);
  });
});
