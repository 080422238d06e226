import { afterEach, describe, expect, it } from 'vitest';
import { EngineSocket } from '../../../../src/engine/client/socket.ts';
import { type EngineOptions, type ScriptedPlatform, scriptedPlatform, turn } from './scripted.ts';

/** A socket, and what it has told its listeners. */
function connect(opts: EngineOptions = {}, platform: ScriptedPlatform = scriptedPlatform()) {
  const socket = new EngineSocket(platform, 'http://localhost', {
    transports: ['polling', 'websocket'],
    ...opts,
  });
  const events: unknown[][] = [];
  const names = [
    'open',
    'message',
    'ping',
    'upgrading',
    'upgrade',
    'upgradeError',
    'sendError',
    'error',
    'close',
    'drain',
  ] as const;
  for (const name of names) socket.on(name, (...args: unknown[]) => events.push([name, ...args]));
  return { socket, platform, events, names: () => events.map(([name]) => name) };
}

afterEach(() => {
  EngineSocket.priorWebsocketSuccess = false;
});

describe('the handshake', () => {
  it('opens with the first transport and tells the session id', () => {
    const { socket, platform, events } = connect();
    expect(socket.readyState).toBe('opening');
    expect(platform.last).toMatchObject({ name: 'polling', state: 'opening' });
    platform.last.shakeHands({ sid: 'abc' });
    expect(socket).toMatchObject({ readyState: 'open', id: 'abc' });
    expect(events).toEqual([['open']]);
  });

  it.each(['0', '0{}', '0{"sid":1}', '0not json', '0null'])(
    'fails with a transport error on %s',
    (packet) => {
      const { socket, platform, events } = connect();
      platform.last.accept();
      platform.last.receive(packet);
      expect(events.map(([name]) => name)).toEqual(['error', 'close']);
      expect(events[0]![1]).toMatchObject({ code: 'ENGINE_ERR_INVALID_HANDSHAKE' });
      expect(events[1]![1]).toBe('transport error');
      expect(socket.readyState).toBe('closed');
    },
  );

  it.each([
    ['polling', {}, /^http:\/\/localhost\/engine\.io\/\?EIO=4&transport=polling&tautline=1&t=\w+$/],
    [
      'polling',
      { timestampRequests: false },
      /^http:\/\/localhost\/engine\.io\/\?EIO=4&transport=polling&tautline=1$/,
    ],
    [
      'polling',
      { timestampParam: 'ts', query: { a: 'b c' } },
      /\?a=b\+c&EIO=4&transport=polling&tautline=1&ts=\w+$/,
    ],
    ['websocket', {}, /\?EIO=4&transport=websocket&tautline=1$/],
    ['websocket', { session: false }, /\?EIO=4&transport=websocket$/],
    ['websocket', { timestampRequests: true }, /transport=websocket&tautline=1&t=\w+$/],
    ['websocket', { forceBase64: true, query: 'x=1' }, /\?x=1&EIO=4&transport=websocket&tautline=1&b64=1$/],
  ])('asks over %s with %o for a URL like %s', (name, opts, expected) => {
    const { platform } = connect({ ...opts, transports: [name] });
    expect(platform.last.target.url()).toMatch(expected);
  });

  it('stamps no two requests alike and carries the session id from the handshake on', () => {
    const { platform } = connect();
    const { url } = platform.last.target;
    expect(url()).not.toBe(url());
    platform.last.shakeHands({ sid: 'abc' });
    expect(url()).toContain('sid=abc');
  });

  it('takes the query of the address before that of the options', () => {
    const platform = scriptedPlatform();
    new EngineSocket(platform, 'http://h/?a=1', { query: { a: 2 } });
    expect(platform.last.target.url()).toContain('?a=1&EIO=4');
  });

  it('gives each transport its own options over the general ones', () => {
    const { platform } = connect({
      extraHeaders: { a: '1' },
      requestTimeout: 5,
      transportOptions: { polling: { extraHeaders: { a: '2' } } },
    });
    expect(platform.last.target.options).toMatchObject({ extraHeaders: { a: '2' }, requestTimeout: 5 });
  });
});

describe('the choice of transports', () => {
  it('says that there is none, once somebody can listen', () => {
    const { platform, events } = connect({ transports: ['webtransport'] });
    expect(events).toEqual([]);
    platform.clockUsed.advance(0);
    expect(events[0]).toMatchObject(['error', { message: 'No transports available' }]);
  });

  it('gives up after the first one that fails', () => {
    const { platform, names } = connect();
    platform.last.fail();
    expect(names()).toEqual(['error', 'close']);
    expect(platform.transportsMade).toHaveLength(1);
  });

  it('tries them all when told to, and reports the last failure', () => {
    const { platform, events } = connect({ tryAllTransports: true });
    platform.last.fail('first');
    expect(platform.last).toMatchObject({ name: 'websocket', state: 'opening' });
    expect(events).toEqual([]);
    const error = platform.last.fail('second');
    expect(events).toEqual([
      ['error', error],
      ['close', 'transport error', error],
    ]);
  });

  it('does not fall back once it was open', () => {
    const { platform, names } = connect({ tryAllTransports: true });
    platform.last.shakeHands();
    platform.last.fail();
    expect(names()).toEqual(['open', 'error', 'close']);
  });

  it('remembers WebSocket when told to, until it fails', () => {
    const opts = { rememberUpgrade: true };
    const first = connect({ ...opts, transports: ['websocket'] });
    first.platform.last.shakeHands();
    expect(connect(opts).platform.last.name).toBe('websocket');
    expect(connect({}).platform.last.name).toBe('polling');
    first.platform.last.fail();
    expect(connect(opts).platform.last.name).toBe('polling');
  });

  it('takes implementations in the place of names', () => {
    const other = scriptedPlatform(['sse']);
    const { platform } = connect({ transports: [other.transports[0]!, 'websocket'] });
    expect(platform.transportsMade).toEqual([]);
    expect(other.last.name).toBe('sse');
    const { platform: second } = connect({
      transports: undefined,
      transportImplementations: [other.transports[0]!],
    });
    expect(second.transportsMade).toEqual([]);
    expect(other.transportsMade).toHaveLength(2);
  });
});

describe('messages', () => {
  it('come in as text and bytes', () => {
    const { platform, events } = connect();
    platform.last.shakeHands();
    platform.last.receive('4hello');
    platform.last.receive(Uint8Array.of(1, 2));
    expect(events.slice(1)).toEqual([
      ['message', 'hello'],
      ['message', Uint8Array.of(1, 2).buffer],
    ]);
  });

  it('come as a Blob when the program wants one', async () => {
    const { socket, platform, events } = connect();
    socket.binaryType = 'blob';
    platform.last.shakeHands();
    platform.last.receive(Uint8Array.of(1, 2));
    expect(new Uint8Array(await (events[1]![1] as Blob).arrayBuffer())).toEqual(Uint8Array.of(1, 2));
  });

  it('wait until the session is open and go out together', () => {
    const { socket, platform } = connect();
    socket.write('a');
    socket.send('b');
    platform.last.shakeHands();
    expect(platform.last.batches).toEqual([['4a', '4b']]);
  });

  it('gather while the transport is busy, and drain is told when all have left', async () => {
    const { socket, platform, names } = connect();
    platform.last.shakeHands();
    socket.send('a');
    socket.send('b');
    socket.send('c');
    expect(platform.last.batches).toEqual([['4a']]);
    await turn();
    expect(platform.last.batches).toEqual([['4a'], ['4b', '4c']]);
    expect(names()).toEqual(['open', 'drain']);
    expect(socket.writeBuffer).toEqual([]);
  });

  it('are shown as they are made and as they come, by the names of their types', () => {
    const { socket, platform } = connect();
    const seen: unknown[] = [];
    socket.on('packetCreate', ({ type, data }) => seen.push(['out', type, data]));
    socket.on('packet', ({ type, data }) => seen.push(['in', type, data]));
    platform.last.shakeHands({ sid: 's' });
    socket.send('2["x"]');
    platform.last.receive('2');
    platform.last.receive('43["y"]');
    expect(seen).toEqual([
      ['in', 'open', expect.stringContaining('"s"')],
      ['out', 'message', '2["x"]'],
      ['in', 'ping', ''],
      ['out', 'pong', undefined],
      ['in', 'message', '3["y"]'],
    ]);
  });

  it.each([
    ['a Uint8Array', Uint8Array.of(1, 2)],
    ['a view', new DataView(Uint8Array.of(0, 1, 2, 3).buffer, 1, 2)],
    ['an ArrayBuffer', Uint8Array.of(1, 2).buffer],
  ])('go out as bytes when given as %s', (_, data) => {
    const { socket, platform } = connect();
    platform.last.shakeHands();
    socket.send(data);
    expect(platform.last.sent).toEqual([Uint8Array.of(1, 2)]);
  });

  it('keep their order when one of them is a Blob, which takes time to read', async () => {
    const { socket, platform } = connect();
    platform.last.shakeHands();
    socket
      .send('a')
      .send(new Blob(['b']))
      .send('c')
      .send(new Blob(['d']))
      .send('e');
    socket.close();
    await expect.poll(() => socket.readyState).toBe('closed');
    const text = platform.last.sent.map((each) =>
      typeof each === 'string' ? each : `4${new TextDecoder().decode(each)}`,
    );
    expect(text).toEqual(['4a', '4b', '4c', '4d', '4e']);
  });

  it('are split between requests by the server’s limit, over polling', async () => {
    const { socket, platform } = connect();
    platform.last.shakeHands({ maxPayload: 10 });
    socket.send('x');
    await turn();
    for (const text of ['1234', '56', '789012345', 'end']) socket.send(text);
    socket.send(Uint8Array.of(1));
    await turn();
    // 5 + 1 + 3 bytes fit, one more would not; bytes count as base64.
    expect(platform.last.batches).toEqual([
      ['4x'],
      ['41234'],
      ['456'],
      ['4789012345'],
      ['4end', Uint8Array.of(1)],
    ]);
  });

  it('are not split over WebSocket, where each is judged alone', async () => {
    const { socket, platform } = connect({ transports: ['websocket'] });
    socket.send('123456').send('123456');
    platform.last.shakeHands({ maxPayload: 10 });
    expect(platform.last.batches).toEqual([['4123456', '4123456']]);
  });
});

describe('a message above the server’s limit', () => {
  it.each([
    ['text', 'polling', 'x'.repeat(10), true],
    ['text', 'polling', 'x'.repeat(9), false],
    ['text of 3-byte characters', 'websocket', '€'.repeat(4), true],
    ['text of 3-byte characters', 'websocket', '€'.repeat(3), false],
    ['bytes', 'websocket', new Uint8Array(11), true],
    ['bytes', 'websocket', new Uint8Array(10), false],
    ['bytes', 'polling', new Uint8Array(7), true],
    ['bytes', 'polling', new Uint8Array(6), false],
    ['a Blob', 'websocket', new Blob(['x'.repeat(11)]), true],
  ])('as %s over %s: %o is refused: %s', async (_, name, data, isRefused) => {
    const { socket, platform, events } = connect({ transports: [name] });
    platform.last.shakeHands({ maxPayload: 10 });
    const answers: unknown[] = [];
    socket.send(data, {}, (error) => answers.push(error));
    await expect.poll(() => answers).toHaveLength(1);
    if (isRefused) {
      expect(answers[0]).toMatchObject({
        name: 'UsageError',
        code: 'ENGINE_ERR_PAYLOAD_LIMIT',
        limit: { name: 'maxPayload', value: 10 },
        message: expect.stringMatching(/limit of 10: send it in parts, or raise maxHttpBufferSize/),
      });
      expect(events.at(-1)).toEqual(['sendError', answers[0]]);
      expect(platform.last.sent).toEqual([]);
    } else {
      expect(answers).toEqual([undefined]);
      expect(platform.last.sent).toHaveLength(1);
    }
    expect(socket.readyState).toBe('open');
  });

  it('is refused when the limit becomes known, and those around it go out', () => {
    const { socket, platform, names } = connect();
    socket.send('a').send('x'.repeat(10)).send('b');
    platform.last.shakeHands({ maxPayload: 10 });
    expect(platform.last.sent).toEqual(['4a', '4b']);
    expect(names()).toEqual(['sendError', 'open']);
  });

  it('is sent to a server that names no limit', () => {
    const { socket, platform } = connect();
    platform.last.shakeHands({ maxPayload: undefined });
    socket.send('x'.repeat(2_000_000));
    expect(platform.last.sent).toHaveLength(1);
  });
});

describe('the heartbeat', () => {
  const handshake = { pingInterval: 300, pingTimeout: 200 };

  it('answers a ping, and ends without one for the interval and the timeout together', () => {
    const { socket, platform, events } = connect();
    platform.last.shakeHands(handshake);
    platform.clockUsed.advance(499);
    platform.last.receive('2');
    expect(platform.last.sent).toEqual(['3']);
    platform.clockUsed.advance(499);
    expect(socket.readyState).toBe('open');
    platform.clockUsed.advance(1);
    expect(events.at(-1)).toEqual(['close', 'ping timeout', undefined]);
    expect(platform.last.state).toBe('terminated');
    expect(platform.clockUsed.delays).toEqual([]);
  });

  it('notices before the timer does that time has passed', async () => {
    const { socket, platform, events } = connect();
    platform.last.shakeHands(handshake);
    expect(socket._hasPingExpired()).toBe(false);
    socket._pingTimeoutTime = platform.clockUsed.nowMs() - 1;
    expect(socket._hasPingExpired()).toBe(true);
    expect(socket.readyState).toBe('open');
    await turn();
    expect(events.at(-1)).toEqual(['close', 'ping timeout', undefined]);
  });
});

describe('the upgrade', () => {
  const upgradable = { upgrades: ['websocket', 'webtransport'] };

  /** A session on polling, and the WebSocket that it tries. */
  function upgrading(opts: EngineOptions = {}) {
    const result = connect(opts);
    const [polling] = result.platform.transportsMade;
    polling!.shakeHands(upgradable);
    return { ...result, polling: polling!, candidate: result.platform.last };
  }

  it('asks the candidate, empties the old transport, and then moves', async () => {
    const { socket, polling, candidate, names } = upgrading();
    expect(candidate).toMatchObject({ name: 'websocket', state: 'opening' });
    expect(candidate.target.url()).toContain('sid=sid-1');
    candidate.accept();
    expect(candidate.sent).toEqual(['2probe']);
    socket.send('on polling');
    await turn();
    candidate.receive('3probe');
    expect(names()).toContain('upgrading');
    socket.send('while pausing');
    await turn();
    // What polling still brings is received.
    polling.receive('4last');
    expect(polling.sent).toEqual(['4on polling']);
    expect(candidate.sent).toEqual(['2probe']);
    polling.paused!();
    expect(candidate.sent).toEqual(['2probe', '5']);
    expect(socket.transport).toBe(candidate);
    await turn();
    expect(candidate.sent).toEqual(['2probe', '5', '4while pausing']);
    expect(names()).toEqual(['open', 'drain', 'upgrading', 'message', 'upgrade', 'drain']);
    polling.sink.transportReceived('4', 'late');
    candidate.receive('4new');
    expect(names().filter((name) => name === 'message')).toHaveLength(2);
    expect(EngineSocket.priorWebsocketSuccess).toBe(true);
  });

  it.each([
    ['upgrade is off', { upgrade: false }],
    ['the program does not want that transport', { transports: ['polling'] }],
  ])('is not tried when %s', (_, opts) => {
    const { platform } = upgrading(opts);
    expect(platform.transportsMade).toHaveLength(1);
  });

  it.each([
    ['closes', (candidate: ReturnType<typeof upgrading>['candidate']) => void candidate.fail('refused')],
    [
      'answers something else',
      (candidate: ReturnType<typeof upgrading>['candidate']) => candidate.receive('3other'),
    ],
  ])('leaves the session where it is when the candidate %s', (_, happen) => {
    const { socket, polling, candidate, events } = upgrading();
    candidate.accept();
    happen(candidate);
    expect(events.at(-1)).toMatchObject(['upgradeError', { step: 'probe', transport: 'websocket' }]);
    expect(candidate.state).toBe('terminated');
    socket.send('x');
    expect(polling.sent).toEqual(['4x']);
    expect(socket.readyState).toBe('open');
  });

  it('ends the session when the candidate dies after the old transport was stopped', () => {
    const { candidate, events } = upgrading();
    candidate.accept();
    candidate.receive('3probe');
    candidate.fail('gone');
    expect(events.slice(-2)).toMatchObject([
      ['error', { message: 'probe error: gone', step: 'probe' }],
      ['close', 'transport error', { message: 'probe error: gone' }],
    ]);
  });

  it('is given up when the session ends', () => {
    const { socket, candidate } = upgrading();
    candidate.accept();
    socket.close();
    expect(candidate.state).toBe('closed');
    expect(socket.readyState).toBe('closed');
  });

  it('is waited for when the session is closed in the middle of it', async () => {
    const { socket, polling, candidate, names } = upgrading();
    candidate.accept();
    candidate.receive('3probe');
    socket.send('goodbye');
    socket.close();
    expect(socket.readyState).toBe('closing');
    polling.paused!();
    await turn();
    expect(candidate.sent).toEqual(['2probe', '5', '4goodbye']);
    expect(names().slice(-3)).toEqual(['upgrade', 'drain', 'close']);
    expect(candidate.state).toBe('closed');
  });
});

describe('the end', () => {
  it('comes after what was written has left', async () => {
    const { socket, platform, events } = connect();
    platform.last.shakeHands();
    platform.last.drainsItself = false;
    socket.send('a').send('b').close();
    socket.send('too late');
    expect(socket.readyState).toBe('closing');
    platform.last.drain();
    expect(platform.last.sent).toEqual(['4a', '4b']);
    expect(platform.last.state).toBe('open');
    platform.last.drain();
    expect(events.at(-1)).toEqual(['close', 'forced close', undefined]);
    expect(platform.last.state).toBe('closed');
    expect(socket.id).toBeNull();
  });

  it('comes at once when nothing was written, even before the session is open', () => {
    const { socket, platform, names } = connect();
    socket.close();
    expect(names()).toEqual(['close']);
    expect(platform.last.state).toBe('closed');
    platform.last.sink.transportReceived('4', 'late');
    socket.close();
    expect(names()).toEqual(['close']);
  });

  it('waits for the handshake when something was written before it', async () => {
    const { socket, platform, names } = connect();
    socket.send('a').close();
    platform.last.shakeHands({ upgrades: ['websocket'] });
    expect(platform.transportsMade).toHaveLength(1);
    await turn();
    expect(platform.last.sent).toEqual(['4a']);
    expect(names()).toEqual(['drain', 'close']);
  });

  it.each([
    ['polling', 'transport closed by the server'],
    ['websocket', 'websocket connection closed'],
  ])('says that the server has closed %s', (name, description) => {
    const { platform, events } = connect({ transports: [name] });
    platform.last.shakeHands();
    const context = {};
    platform.last.end({ by: 'byPeer', context });
    expect(events.at(-1)).toEqual(['close', 'transport close', { description, context }]);
  });

  it('shows listeners what was not sent', () => {
    const { socket, platform } = connect();
    platform.last.shakeHands();
    platform.last.isWritable = false;
    socket.send('a');
    let unsent: unknown;
    socket.on('close', () => {
      unsent = socket.writeBuffer.map(({ data }) => data);
    });
    platform.last.fail();
    expect(unsent).toEqual(['a']);
    expect(socket.writeBuffer).toEqual([]);
  });

  it('comes when the page goes offline', () => {
    const { platform, events } = connect();
    platform.last.shakeHands();
    platform.firePage('offline');
    expect(events.at(-1)).toEqual(['close', 'transport close', { description: 'network connection lost' }]);
    platform.firePage('offline');
    expect(events).toHaveLength(2);
  });

  it.each([
    [true, 'closed'],
    [false, 'open'],
  ])('is silent when the page is left, with closeOnBeforeunload: %s', (closeOnBeforeunload, state) => {
    const { platform, names } = connect({ closeOnBeforeunload });
    platform.last.shakeHands();
    platform.firePage('beforeunload');
    expect(platform.last.state).toBe(state);
    expect(names()).toEqual(['open']);
  });
});
