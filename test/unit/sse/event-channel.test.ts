import { describe, expect, it } from 'vitest';
import { EventChannel } from '../../../src/sse/event-channel.ts';
import { EventHistory } from '../../../src/sse/event-history.ts';
import { createEventStream, type EventStreamOptions } from '../../../src/sse/event-stream.ts';
import { request, ScriptedResponse } from './scripted-response.ts';

function connect(lastEventId = '', options: EventStreamOptions = {}) {
  const response = new ScriptedResponse();
  const headers: Record<string, string> = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
  const stream = createEventStream(request(headers), response.asResponse, {
    keepAliveIntervalMs: 0,
    ...options,
  });
  response.take();
  const data = () => [...response.take().matchAll(/^data: (.*)$/gm)].map(([, text]) => text);
  return { response, stream, data };
}

/** A client that takes one event at a time. */
function connectSlow(lastEventId: string) {
  const client = connect(lastEventId);
  const { response } = client;
  const write = response.write.bind(response);
  response.write = (bytes) => {
    response.hasRoom = false;
    return write(bytes);
  };
  return client;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a channel', () => {
  it('sends to all that have joined, and the same bytes', () => {
    const channel = new EventChannel();
    const [a, b, c] = [connect(), connect(), connect()];
    const written: unknown[] = [];
    for (const { response, stream } of [a, b]) {
      const write = response.write.bind(response);
      response.write = (bytes) => {
        written.push(bytes);
        return write(bytes);
      };
      channel.join(stream);
    }
    expect(channel.publish({ data: '1' })).toBe(2);
    expect([a.data(), b.data(), c.data()]).toEqual([['1'], ['1'], []]);
    expect(written[0]).toBe(written[1]);
  });

  it('counts its streams: who left or is over is no more among them', () => {
    const channel = new EventChannel();
    const [a, b] = [connect(), connect()];
    channel.join(a.stream);
    channel.join(a.stream);
    channel.join(b.stream);
    expect([channel.size, [...channel.streams]]).toEqual([2, [a.stream, b.stream]]);
    channel.leave(a.stream);
    expect([channel.size, a.stream.isOpen]).toEqual([1, true]);
    b.response.leave();
    expect(channel.size).toBe(0);
    channel.join(b.stream);
    expect(channel.size).toBe(0);
    expect(channel.publish({ data: '1' })).toBe(0);
  });

  it('closes all its streams', async () => {
    const channel = new EventChannel();
    const [a, b] = [connect(), connect()];
    channel.join(a.stream);
    channel.join(b.stream);
    channel.close();
    expect([await a.stream.closed, await b.stream.closed, channel.size]).toEqual([
      'closedByUs',
      'closedByUs',
      0,
    ]);
  });
});

describe('a channel with a history', () => {
  const setUp = (limitEvents = 100) => {
    const history = new EventHistory({ epoch: 'e', limitEvents });
    const channel = new EventChannel({ history });
    const publish = (...data: string[]) => {
      for (const one of data) channel.publish({ data: one });
    };
    return { history, channel, publish };
  };

  it('gives who comes back what was missed, then what follows', () => {
    const { channel, publish } = setUp();
    publish('1', '2', '3');
    const client = connect('e-1');
    channel.join(client.stream);
    publish('4');
    expect(client.data()).toEqual(['2', '3', '4']);
  });

  it('gives a new client what follows only, or everything on demand', () => {
    const { history, channel, publish } = setUp();
    publish('1', '2');
    const [fresh, whole] = [connect(), connect()];
    channel.join(fresh.stream);
    channel.join(whole.stream, { since: history.startId });
    publish('3');
    expect(fresh.data()).toEqual(['3']);
    expect(whole.data()).toEqual(['1', '2', '3']);
  });

  it('lets who catches up read at its own pace, without gap or repeat', async () => {
    const { channel, publish } = setUp();
    publish('1', '2', '3');
    const client = connectSlow('e-0');
    channel.join(client.stream);
    const got: unknown[] = [];
    for (let i = 4; i <= 8; i++) {
      publish(`${i}`);
      got.push(...client.data());
      client.response.read();
      await turn();
    }
    for (let i = 0; i < 8; i++) {
      got.push(...client.data());
      client.response.read();
      await turn();
    }
    expect(got).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    expect(client.stream.dropped).toBe(0);
    expect(channel.publish({ data: '9' })).toBe(1);
    expect(client.data()).toEqual(['9']);
  });

  it('keeps nothing for who catches up: what it waits for is in the history', async () => {
    const { channel, publish } = setUp();
    publish('1', '2');
    const client = connectSlow('e-0');
    channel.join(client.stream);
    expect(channel.publish({ data: 'x'.repeat(1000) })).toBe(0);
    expect(client.stream.bufferedBytes - client.response.writableLength).toBe(0);
    expect(client.stream.isOpen).toBe(true);
  });

  it.each([
    ['too old', 'e-1'],
    ['unknown', 'other-1'],
  ])('says so to who comes back with an id that is %s', (_name, id) => {
    const { channel, publish } = setUp(2);
    publish('1', '2', '3', '4');
    const client = connect(id);
    channel.join(client.stream);
    expect(client.response.take()).toBe(`event: gap\nid: e-4\ndata: {"lastEventId":"${id}"}\n\n`);
    publish('5');
    expect(client.response.take()).toBe('id: e-5\ndata: 5\n\n');
  });

  it('says so to who reads more slowly than the history forgets', async () => {
    const { channel, publish } = setUp(2);
    publish('1', '2');
    const client = connectSlow('e-0');
    channel.join(client.stream);
    expect(client.data()).toEqual(['1']);
    publish('3', '4', '5');
    client.response.read();
    await turn();
    expect(client.response.take()).toBe('event: gap\nid: e-5\ndata: {"lastEventId":"e-1"}\n\n');
  });

  it('says so by a name or a function of the program', () => {
    const history = new EventHistory({ epoch: 'e' });
    const named = new EventChannel({ history, onGap: 'reload' });
    const a = connect('x');
    named.join(a.stream);
    expect(a.response.take()).toContain('event: reload\n');
    const calls: unknown[] = [];
    const called = new EventChannel({ history, onGap: (stream, id) => calls.push([stream, id]) });
    const b = connect('x');
    called.join(b.stream);
    expect(calls).toEqual([[b.stream, 'x']]);
    expect(b.response.take()).toBe('');
  });

  it('stops catching up when the stream has left, and begins anew when it joins again', async () => {
    const { channel, publish } = setUp();
    publish('1', '2');
    const client = connectSlow('e-0');
    channel.join(client.stream);
    expect(client.data()).toEqual(['1']);
    channel.leave(client.stream);
    client.response.read();
    await turn();
    expect(client.data()).toEqual([]);
    channel.join(client.stream, { since: 'e-1' });
    expect(client.data()).toEqual(['2']);
    client.response.read();
    await turn();
    publish('3');
    expect(client.data()).toEqual(['3']);
  });
});
