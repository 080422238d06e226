import { once } from 'node:events';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { closing, HANDSHAKE, next, pollWaits, startEngine } from './scene.ts';

describe('a session over polling', () => {
  it('answers POSTs with ok and hands over their messages in order', async () => {
    const { begin } = await startEngine();
    const { socket, post } = await begin();
    const messages: unknown[] = [];
    socket.on('message', (data) => messages.push(data));
    const answer = await post('4hello\x1e4€\x1ebAQID\x1e4');
    expect(answer).toMatchObject({ status: 200, body: 'ok' });
    expect(answer.headers['content-type']).toBe('text/html');
    expect(messages).toEqual(['hello', '€', Buffer.from([1, 2, 3]), '']);
    expect(Buffer.isBuffer(messages[2])).toBe(true);
  });

  it('answers a poll with what has gathered, in one payload', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    socket.send('a');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(new Uint8Array([255]).buffer);
    socket.write('é');
    const { status, headers, body } = await poll();
    expect([status, body]).toEqual([200, '4a\x1ebAQID\x1eb/w==\x1e4é']);
    expect(headers['content-type']).toBe('text/plain; charset=UTF-8');
  });

  it('answers a poll that waits as soon as there is something', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    const answer = poll();
    await pollWaits(socket);
    socket.send('now');
    expect((await answer).body).toBe('4now');
  });

  it('is pinged, and lives on while it answers', async () => {
    const { begin } = await startEngine({ pingInterval: 60, pingTimeout: 5000 });
    const { socket, poll, post } = await begin();
    for (let i = 0; i < 3; i++) {
      expect((await poll()).body).toBe('2');
      const heartbeat = next(socket, 'heartbeat');
      expect((await post('3')).body).toBe('ok');
      await heartbeat;
    }
    expect(socket.readyState).toBe('open');
  });

  it('ends with ping timeout when the pong does not come; the poll that waits is told', async () => {
    const { begin, engine } = await startEngine({ pingInterval: 30, pingTimeout: 800 });
    const { socket, poll } = await begin();
    const closed = closing(socket);
    expect((await poll()).body).toBe('2');
    expect((await poll()).body).toBe('1');
    expect(await closed).toEqual(['ping timeout', undefined]);
    expect(engine.clientsCount).toBe(0);
  });

  it('ends with ping timeout also when it never polls', async () => {
    const { begin } = await startEngine({ pingInterval: 30, pingTimeout: 30 });
    const { socket } = await begin();
    expect((await closing(socket))[0]).toBe('ping timeout');
  });

  it('calls back once a message has left, and tells of flush, drain and each packet', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    const log: string[] = [];
    socket.on('packetCreate', (packet) =>
      log.push(`create ${packet.type} ${packet.data} ${packet.options.compress}`),
    );
    socket.on('flush', (packets) => log.push(`flush ${packets.length}`));
    socket.on('drain', () => log.push('drain'));
    socket.send('a', { compress: false }, (transport) => log.push(`sent a by ${transport.name}`));
    socket.send('b', () => log.push('sent b'));
    expect(socket.writeBuffer).toHaveLength(2);
    await poll();
    expect(log).toEqual([
      'create message a false',
      'create message b true',
      'flush 2',
      'drain',
      'sent a by polling',
      'sent b',
    ]);
    expect(socket.writeBuffer).toHaveLength(0);
  });

  it('tells of each packet that comes', async () => {
    const { begin } = await startEngine();
    const { socket, post } = await begin();
    const log: unknown[] = [];
    socket.on('packet', ({ type, data }) => log.push([type, data]));
    socket.on('data', (data) => log.push(data));
    await post('4a\x1e3');
    expect(log).toEqual([['message', 'a'], 'a', ['pong', '']]);
  });
});

describe('the end of a session over polling', () => {
  it('by the client is a close packet; the poll that waits gets a noop', async () => {
    const { begin, engine } = await startEngine();
    const { socket, poll, post } = await begin();
    const waiting = poll();
    await pollWaits(socket);
    const closed = closing(socket);
    expect((await post('4last\x1e1\x1e4too late')).body).toBe('ok');
    expect((await waiting).body).toBe('6');
    expect(await closed).toEqual(['transport close', undefined]);
    expect(engine.clientsCount).toBe(0);
    expect(JSON.parse((await poll()).body)).toEqual({ code: 1, message: 'Session ID unknown' });
  });

  it('by the server is told to the poll that waits', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    const waiting = poll();
    await pollWaits(socket);
    const closed = closing(socket);
    socket.close();
    expect((await waiting).body).toBe('1');
    expect((await closed)[0]).toBe('forced close');
  });

  it('by the server is told to the next poll when none waits, after what was sent', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    socket.send('x');
    socket.close();
    socket.send('too late');
    expect(socket.readyState).toBe('closing');
    expect((await poll()).body).toBe('4x');
    const closed = closing(socket);
    expect((await poll()).body).toBe('6\x1e1');
    expect((await closed)[0]).toBe('forced close');
  });

  it('with discard drops what was sent', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    socket.send('x');
    const closed = closing(socket);
    socket.close(true);
    expect((await closed)[0]).toBe('forced close');
    expect((await poll()).status).toBe(400);
  });

  it('comes to all when the engine is closed', async () => {
    const { begin, engine } = await startEngine();
    const one = await begin();
    await begin();
    const waiting = one.poll();
    await pollWaits(one.socket);
    engine.close();
    expect((await waiting).body).toBe('1');
    expect(engine.clientsCount).toBe(0);
  });

  it('comes when the client goes away while its poll waits', async () => {
    const { port, begin } = await startEngine();
    const { socket, url } = await begin();
    const client = connect(port, '127.0.0.1');
    client.write(`GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await pollWaits(socket);
    const closed = closing(socket);
    client.destroy();
    const [reason, description] = await closed;
    expect(reason).toBe('transport error');
    expect(description).toMatchObject({ code: 'POLLING_ERR_POLL_ABORTED' });
  });

  it('comes when the client goes away in the middle of a POST', async () => {
    const { port, begin } = await startEngine();
    const { socket, url } = await begin();
    const closed = closing(socket);
    const client = connect(port, '127.0.0.1');
    client.write(`POST ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n4abc`, () => client.end());
    const [reason, description] = await closed;
    expect(reason).toBe('transport error');
    expect(description).toMatchObject({ code: 'POLLING_ERR_POST_ABORTED' });
  });
});

describe('what a polling client must not do', () => {
  it('a second poll is refused, and ends the session with the first told', async () => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    const first = poll();
    await pollWaits(socket);
    const closed = closing(socket);
    expect((await poll()).status).toBe(400);
    expect((await first).body).toBe('1');
    const [reason, description] = await closed;
    expect(reason).toBe('transport error');
    expect(description).toMatchObject({
      message: 'overlap from client',
      code: 'POLLING_ERR_OVERLAPPING_POLL',
    });
  });

  it('a second POST is refused, and ends the session and the first', async () => {
    const { port, begin } = await startEngine();
    const { socket, url, post } = await begin();
    const closed = closing(socket);
    const client = connect(port, '127.0.0.1');
    client.setEncoding('latin1');
    client.write(`POST ${url} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`);
    expect((await once(client, 'data'))[0]).toMatch(/^HTTP\/1.1 100 /);
    const answer = once(client, 'data');
    expect((await post('4x')).status).toBe(400);
    expect((await answer)[0]).toMatch(/^HTTP\/1.1 400 /);
    client.destroy();
    const [reason, description] = await closed;
    expect(reason).toBe('transport error');
    expect(description).toMatchObject({ code: 'POLLING_ERR_OVERLAPPING_POST' });
  });

  it.each([
    ['abc', 'ENGINE_ERR_UNKNOWN_PACKET_TYPE'],
    ['', 'ENGINE_ERR_UNKNOWN_PACKET_TYPE'],
    ['\x1e', 'ENGINE_ERR_UNKNOWN_PACKET_TYPE'],
    ['b!!', 'ENGINE_ERR_INVALID_BASE64'],
  ])('a payload that reads %j is refused, and ends the session with parse error', async (payload, code) => {
    const { begin } = await startEngine();
    const { socket, post } = await begin();
    const closed = closing(socket);
    const answer = await post(payload);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).code).toBe(3);
    const [reason, description] = await closed;
    expect(reason).toBe('parse error');
    expect(description).toMatchObject({ code });
  });

  it('what comes before a malformed packet is handed over', async () => {
    const { begin } = await startEngine();
    const { socket, poll, post } = await begin();
    const waiting = poll();
    await pollWaits(socket);
    const messages: unknown[] = [];
    socket.on('message', (data) => messages.push(data));
    expect((await post('4ok\x1eabc\x1e4no')).status).toBe(400);
    expect((await waiting).body).toBe('1');
    expect(messages).toEqual(['ok']);
  });

  it('bytes that are not UTF-8 are refused', async () => {
    const { begin } = await startEngine();
    const { socket, post } = await begin();
    const closed = closing(socket);
    expect((await post(Buffer.from([0x34, 0xff]))).status).toBe(400);
    expect((await closed)[1]).toMatchObject({ code: 'POLLING_ERR_INVALID_CONTENT' });
  });

  it('binary bodies, of protocol 3, are refused', async () => {
    const { begin } = await startEngine();
    const { socket, post } = await begin();
    const closed = closing(socket);
    const headers = { 'Content-Type': 'application/octet-stream' };
    expect((await post('4x', { headers })).status).toBe(400);
    expect((await closed)[1]).toMatchObject({ message: 'invalid content' });
  });

  it('pings of the client, of protocol 3, end the session', async () => {
    const { begin } = await startEngine();
    const { socket, post } = await begin();
    const closed = closing(socket);
    await post('2');
    const [reason, description] = await closed;
    expect([reason, (description as Error).message]).toEqual([
      'transport error',
      'invalid heartbeat direction',
    ]);
  });

  it.each(['0{}', '5', '6', '3'])(
    'the packet %j, which means nothing here, is passed over',
    async (payload) => {
      const { begin } = await startEngine();
      const { socket, post } = await begin();
      expect((await post(payload)).body).toBe('ok');
      expect(socket.readyState).toBe('open');
    },
  );

  it.each(['PUT', 'DELETE', 'HEAD', 'OPTIONS'])('%s is refused, and the session goes on', async (method) => {
    const { ask, begin } = await startEngine();
    const { socket, url, post } = await begin();
    expect((await ask(url, { method })).status).toBe(405);
    expect((await post('4x')).body).toBe('ok');
    expect(socket.readyState).toBe('open');
  });

  it('requests of another transport than the session has are refused', async () => {
    const { ask, begin, refusals } = await startEngine();
    const { sid } = await begin();
    const { status } = await ask(`/engine.io/?EIO=4&transport=websocket&sid=${sid}`);
    expect(status).toBe(400);
    expect(refusals[0]).toMatchObject({
      code: 3,
      context: { name: 'TRANSPORT_MISMATCH', transport: 'websocket', previousTransport: 'polling' },
    });
  });
});

describe('the limit of a body', () => {
  it.each([
    ['that says so', (url: string) => `POST ${url} HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n`],
    [
      'that comes in chunks',
      (url: string) =>
        `POST ${url} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'4'.repeat(1001)}\r\n`,
    ],
  ])('refuses a larger one %s with 413, before it is complete, and names itself', async (_how, head) => {
    const { port, begin } = await startEngine({ maxHttpBufferSize: 1000 });
    const { socket, url } = await begin();
    const closed = closing(socket);
    const client = connect(port, '127.0.0.1');
    client.setEncoding('utf8');
    client.write(head(url));
    const [text] = await once(client, 'data');
    client.destroy();
    expect(text).toMatch(/^HTTP\/1.1 413 /);
    expect(text).toContain('limit of 1000 bytes (maxHttpBufferSize)');
    const [reason, description] = await closed;
    expect(reason).toBe('transport error');
    expect(description).toMatchObject({
      code: 'POLLING_ERR_BODY_TOO_LARGE',
      limit: { name: 'maxHttpBufferSize', value: 1000 },
    });
  });

  it('lets a body of exactly that length in, in one piece or byte by byte', async () => {
    const { begin, port } = await startEngine({ maxHttpBufferSize: 100 });
    const { socket, url, post } = await begin();
    const text = `4${'x'.repeat(99)}`;
    const whole = next(socket, 'message');
    expect((await post(text)).body).toBe('ok');
    expect(await whole).toEqual([text.slice(1)]);
    const pieces = next(socket, 'message');
    const client = connect(port, '127.0.0.1');
    client.setNoDelay(true);
    client.write(`POST ${url} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const char of text) client.write(`1\r\n${char}\r\n`);
    client.write('0\r\n\r\n');
    expect(await pieces).toEqual([text.slice(1)]);
    client.destroy();
  });

  it('leaves every other session alone', async () => {
    const { begin } = await startEngine({ maxHttpBufferSize: 100 });
    const bad = await begin();
    const good = await begin();
    expect((await bad.post('4'.repeat(101))).status).toBe(413);
    expect((await bad.poll()).status).toBe(400);
    expect((await good.post('4x')).body).toBe('ok');
  });
});

describe('the compression of answers', () => {
  const long = 'a'.repeat(3000);

  it.each<[string, string | undefined, ((bytes: Buffer) => Buffer) | undefined]>([
    ['gzip', 'gzip', gunzipSync],
    ['deflate', 'deflate', inflateSync],
    ['br', 'br', brotliDecompressSync],
    ['gzip, deflate, br', 'gzip', gunzipSync],
    ['identity', undefined, undefined],
  ])('for Accept-Encoding: %s is %s', async (accepted, encoding, decode) => {
    const { begin } = await startEngine();
    const { socket, poll } = await begin();
    socket.send(long);
    const { headers, bytes } = await poll({ headers: { 'Accept-Encoding': accepted } });
    expect(headers['content-encoding']).toBe(encoding);
    expect((decode?.(bytes) ?? bytes).toString()).toBe(`4${long}`);
  });

  it.each<[string, object, string, { compress: boolean } | undefined]>([
    ['is short', {}, 'a'.repeat(900), undefined],
    ['is not to be compressed', {}, long, { compress: false }],
    ['is shorter than the threshold', { httpCompression: { threshold: 5000 } }, long, undefined],
    ['goes out where compression is off', { httpCompression: false }, long, undefined],
  ])('leaves alone what %s', async (_what, options, text, sendOptions) => {
    const { begin } = await startEngine(options);
    const { socket, poll } = await begin();
    socket.send(text, sendOptions);
    const { headers, body } = await poll({ headers: { 'Accept-Encoding': 'gzip' } });
    expect(headers['content-encoding']).toBeUndefined();
    expect(body).toBe(`4${text}`);
  });
});

it('one session after the other begins and ends without leaving anything', async () => {
  const { ask, begin, engine } = await startEngine();
  for (let i = 0; i < 50; i++) {
    const { post } = await begin();
    await post('1');
  }
  expect(engine.clientsCount).toBe(0);
  expect(Object.keys(engine.clients)).toEqual([]);
  expect((await ask(HANDSHAKE)).status).toBe(200);
});
