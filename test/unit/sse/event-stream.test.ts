import { describe, expect, it } from 'vitest';
import { encodeEvent } from '../../../src/sse/encoded-event.ts';
import { createEventStream, type EventStreamOptions } from '../../../src/sse/event-stream.ts';
import { request, ScriptedResponse } from './scripted-response.ts';

function open(options: EventStreamOptions = {}) {
  const response = new ScriptedResponse();
  const stream = createEventStream(request(), response.asResponse, { keepAliveIntervalMs: 0, ...options });
  const first = response.take();
  return { response, stream, first };
}

describe('an event stream begins', () => {
  it('with its headers and a first byte', () => {
    const { response, stream, first } = open();
    expect(response.status).toBe(200);
    expect(response.headers).toEqual({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    expect(first).toBe(': \n\n');
    expect([stream.isOpen, stream.isWritable]).toEqual([true, true]);
  });

  it('with the time after which to reconnect', () => {
    expect(open({ retryMs: 1500 }).first).toBe('retry: 1500\n\n');
  });

  it('with the headers of the program in place of its own, whatever their case', () => {
    const { response } = open({ headers: { 'cache-control': 'no-cache', Vary: 'Origin' } });
    expect(response.headers).toEqual({
      'Content-Type': 'text/event-stream',
      'X-Accel-Buffering': 'no',
      'cache-control': 'no-cache',
      Vary: 'Origin',
    });
  });

  it('not at all when an option is wrong: nothing was sent', () => {
    const response = new ScriptedResponse();
    expect(() => createEventStream(request(), response.asResponse, { retryMs: 1.5 })).toThrow('retryMs');
    expect(response.headersSent).toBe(false);
  });

  it('not at all on a response that has begun', () => {
    const response = new ScriptedResponse();
    response.headersSent = true;
    const begin = () => createEventStream(request(), response.asResponse);
    expect(begin).toThrow(expect.objectContaining({ name: 'UsageError', code: 'SSE_HEADERS_SENT' }));
  });

  it('over, when the client has gone already', async () => {
    const response = new ScriptedResponse();
    response.destroyed = true;
    const stream = createEventStream(request(), response.asResponse);
    expect(stream.isOpen).toBe(false);
    expect(await stream.closed).toBe('closedByPeer');
    expect(stream.send({ data: 'x' })).toBe(false);
    expect(response.text).toBe('');
  });

  it.each([
    ['HEAD', 200, 'text/event-stream', undefined],
    ['POST', 405, undefined, 'GET, HEAD'],
    ['DELETE', 405, undefined, 'GET, HEAD'],
  ])('over, for %s', async (method, status, type, allow) => {
    const response = new ScriptedResponse();
    const stream = createEventStream(request({}, method), response.asResponse);
    expect(response.status).toBe(status);
    expect(response.headers['Content-Type']).toBe(type);
    expect(response.headers.Allow).toBe(allow);
    expect(response.writableEnded).toBe(true);
    expect(await stream.closed).toBe('refused');
    expect([stream.isOpen, stream.isWritable, stream.send({ data: 'x' }), await stream.ready()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    stream.close();
    expect(response.text).toBe('');
  });
});

describe('the id that a client comes back with', () => {
  const table: [string, Record<string, string>, string, string][] = [
    ['is empty for a new one', {}, '/', ''],
    ['is in the header', { 'last-event-id': 'a-7' }, '/', 'a-7'],
    ['is UTF-8', { 'last-event-id': Buffer.from('ä€😀').toString('latin1') }, '/', 'ä€😀'],
    ['is taken from the query where the program says so', {}, '/x?since=a%2D7', 'a-7'],
    ['is taken from the header first', { 'last-event-id': 'b' }, '/x?since=a', 'b'],
    ['may be missing in both', {}, '/x', ''],
  ];
  it.each(table)('%s', (_name, headers, url, id) => {
    const response = new ScriptedResponse();
    const options = { keepAliveIntervalMs: 0, lastEventIdParameter: 'since' };
    expect(createEventStream(request(headers, 'GET', url), response.asResponse, options).lastEventId).toBe(
      id,
    );
  });

  it('is not taken from the query by default', () => {
    const response = new ScriptedResponse();
    const stream = createEventStream(request({}, 'GET', '/?lastEventId=7'), response.asResponse);
    expect(stream.lastEventId).toBe('');
    stream.close();
  });
});

describe('sending', () => {
  it('writes fields, lines and comments as the standard has them', () => {
    const { response, stream } = open();
    expect(stream.send({ event: 'tick', data: 'a\nb', id: '7', retryMs: 10 })).toBe(true);
    expect(stream.send(encodeEvent({ data: '' }))).toBe(true);
    expect(stream.comment('x')).toBe(true);
    expect(response.take()).toBe('event: tick\nid: 7\nretry: 10\ndata: a\ndata: b\n\ndata: \n\n: x\n\n');
  });

  it('throws for a field that would break out of its line, and sends nothing', () => {
    const { response, stream } = open();
    const send = () => stream.send({ event: 'a\nb', data: '' });
    expect(send).toThrow(expect.objectContaining({ code: 'SSE_FIELD_INVALID' }));
    expect(response.take()).toBe('');
  });

  it('says to wait when the response is full; what is sent then waits and leaves in order', async () => {
    const { response, stream } = open();
    response.hasRoom = false;
    expect(stream.send({ data: '1' })).toBe(false);
    expect(stream.send({ data: '2' })).toBe(false);
    expect(stream.send({ data: '3' })).toBe(false);
    stream.comment('skipped');
    expect(response.take()).toBe('data: 1\n\n');
    expect(stream.bufferedBytes).toBe(16_384 + 18);
    const ready = stream.ready();
    response.read();
    expect(await ready).toBe(true);
    expect(response.take()).toBe('data: 2\n\ndata: 3\n\n');
    expect([stream.isWritable, stream.dropped]).toEqual([true, 0]);
    expect(await stream.ready()).toBe(true);
  });

  it('goes on waiting when the response fills up again while it empties what waits', () => {
    const { response, stream } = open();
    response.hasRoom = false;
    for (const data of ['1', '2', '3']) stream.send({ data });
    response.take();
    const write = response.write.bind(response);
    response.write = (data) => {
      response.hasRoom = false;
      return write(data);
    };
    response.read();
    expect(response.take()).toBe('data: 2\n\n');
    expect(stream.isWritable).toBe(false);
    response.read();
    expect(response.take()).toBe('data: 3\n\n');
    expect(stream.isWritable).toBe(false);
    response.read();
    expect(stream.isWritable).toBe(true);
  });

  it('flushes what compresses, once a turn', async () => {
    const response = new ScriptedResponse();
    response.flush = () => void response.flushes++;
    const stream = createEventStream(request(), response.asResponse, { keepAliveIntervalMs: 0 });
    stream.send({ data: '1' });
    stream.send({ data: '2' });
    expect(response.flushes).toBe(0);
    await null;
    expect(response.flushes).toBe(1);
    stream.send({ data: '3' });
    await null;
    expect(response.flushes).toBe(2);
  });
});

describe('a client that reads too slowly', () => {
  it('is cut off by default, and that is told', async () => {
    const { response, stream } = open({ bufferLimitBytes: 20 });
    const ends: string[] = [];
    stream.onClose((end) => ends.push(end));
    response.hasRoom = false;
    for (const data of ['1', '2', '3']) stream.send({ data });
    const ready = stream.ready();
    expect(stream.isOpen).toBe(true);
    expect(stream.send({ data: '4' })).toBe(false);
    expect(stream.isOpen).toBe(false);
    expect(response.destroyed).toBe(true);
    expect(ends).toEqual(['overflowed']);
    expect(await ready).toBe(false);
    expect(stream.bufferedBytes).toBe(0);
  });

  it('loses what the program chose, and each loss is counted', () => {
    const { response, stream } = open({ bufferLimitBytes: 20, overflow: 'dropOldest' });
    response.hasRoom = false;
    for (const data of ['1', '2', '3', '4', '5']) stream.send({ data });
    response.take();
    expect(stream.dropped).toBe(2);
    response.read();
    expect(response.take()).toBe('data: 4\n\ndata: 5\n\n');
  });
});

describe('an event stream ends', () => {
  it('when the client leaves', async () => {
    const { response, stream } = open();
    response.hasRoom = false;
    stream.send({ data: '1' });
    const ready = stream.ready();
    const ends: string[] = [];
    stream.onClose((end) => ends.push(end));
    response.leave();
    expect(ends).toEqual(['closedByPeer']);
    expect(await stream.closed).toBe('closedByPeer');
    expect(await ready).toBe(false);
    response.take();
    expect(stream.send({ data: '2' })).toBe(false);
    response.emit('drain');
    expect(response.take()).toBe('');
    expect(response.writableEnded).toBe(false);
  });

  it('when the program closes it, once', async () => {
    const { response, stream } = open();
    const ends: string[] = [];
    stream.onClose((end) => ends.push(end));
    stream.close();
    stream.close();
    expect(response.writableEnded).toBe(true);
    response.leave();
    expect(ends).toEqual(['closedByUs']);
    stream.onClose((end) => ends.push(`late ${end}`));
    expect(ends).toEqual(['closedByUs', 'late closedByUs']);
  });

  it('when the response is ended by another hand', async () => {
    const { response, stream } = open();
    response.end();
    expect([stream.isWritable, stream.send({ data: '1' })]).toEqual([false, false]);
    expect(response.take()).toBe('');
    response.leave();
    expect(await stream.closed).toBe('closedByPeer');
  });

  it('does not mind an error of the response', () => {
    const { response, stream } = open();
    expect(() => response.emit('error', new Error('EPIPE'))).not.toThrow();
    response.leave();
    expect(stream.isOpen).toBe(false);
  });
});
