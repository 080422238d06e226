import { describe, expect, it } from 'vitest';
import { createSseClient } from '../../../../src/transport/sse/client.ts';
import { OutgoingPacket, PacketType } from '../../../../src/wire/engine/packet.ts';
import { exceptionsOf } from '../platform-exceptions.ts';
import { type ScriptOptions, startScript } from '../scripted-exchange.ts';

const open = 'data: 0{"sid":"x"}\n\n';
const message = (text: string | Uint8Array) => new OutgoingPacket(PacketType.message, text);
const start = (options?: ScriptOptions) => startScript(createSseClient, options);

/** The same, after the handshake. */
function opened(options?: ScriptOptions) {
  const s = start(options);
  const stream = s.last();
  stream.piece(`retry: 1000\n\n${open}`);
  s.log.length = 0;
  return { ...s, stream };
}

describe('a client of an event stream', () => {
  it('opens with the first packet, and tells each one as it comes', () => {
    const { transport, requests, log } = start();
    const [stream] = requests;
    expect(stream).toMatchObject({ isPost: false, isStream: true });
    stream!.piece('retry: 1000\n\n: hello\n\n');
    expect([log, transport.isWritable]).toEqual([[], false]);
    stream!.piece(open);
    stream!.piece('id: 1\ndata: 4a\n\nid: 2\ndata: bAQI=\n\ndata: 2');
    stream!.piece('\n\nevent: json\nid: 3\ndata: "4b\\r\\nc"\n\n');
    expect(log).toEqual([
      ['opened'],
      ['0', '{"sid":"x"}'],
      ['4', 'a'],
      ['4', Uint8Array.of(1, 2)],
      ['2', ''],
      ['4', 'b\r\nc'],
    ]);
    expect([transport.isWritable, requests.length]).toEqual([true, 1]);
  });

  it('opens with a count where it attaches to a session', () => {
    const { log, last } = start({ isExtended: true });
    last().piece('data: 75\n\nid: 3\ndata: 4a\n\n');
    expect(log).toEqual([['opened'], ['7', '5'], ['4', 'a']]);
  });

  it('posts beside the stream, one request at a time, and hears the count of the answer', () => {
    const { transport, stream, last, log, requests } = opened({ isExtended: true });
    transport.send([message('a'), message(Uint8Array.of(1, 2))]);
    expect(last()).toMatchObject({ isPost: true, isStream: false, body: '4a\x1ebAQI=' });
    expect(transport.isWritable).toBe(false);
    stream.piece('data: 2\n\n');
    last().answer('72');
    expect(log).toEqual([['2', ''], ['7', '2'], ['drained']]);
    expect([transport.isWritable, requests.length, stream.isAborted]).toEqual([true, 2, false]);
  });

  it.each([
    ['no packet', 'data: 9\n\n', 'PeerError'],
    ['no JSON', 'event: json\ndata: {\n\n', 'SyntaxError'],
    ['no base64', 'data: b*\n\n', 'PeerError'],
  ])('fails when what comes is %s, after what came before', (_name, text, name) => {
    const { stream, log } = opened();
    stream.piece(`data: 4a\n\n${text}data: 4b\n\n`);
    expect(log).toMatchObject([
      ['4', 'a'],
      ['closed', 'failed', { step: 'read', code: 'TRANSPORT_ERR_PROTOCOL', cause: { name } }],
    ]);
    expect(stream.isAborted).toBe(true);
    stream.piece('data: 4c\n\n');
    stream.fail();
    expect(log).toHaveLength(2);
  });

  it('hears the rest when a listener throws, whose exception goes to the platform', () => {
    const { transport, stream, log } = opened();
    const { sink } = transport;
    transport.sink = {
      ...sink,
      transportReceived(type, data) {
        sink.transportReceived(type, data);
        if (data === 'a') throw new Error('from the listener');
      },
    };
    const thrown = exceptionsOf(() => stream.piece('data: 4a\n\ndata: 4b\n\n'));
    stream.piece('data: 4c\n\n');
    expect(log).toEqual([
      ['4', 'a'],
      ['4', 'b'],
      ['4', 'c'],
    ]);
    expect(thrown).toMatchObject([{ message: 'from the listener' }]);
  });

  const failures: [string, (s: ReturnType<typeof start>) => void, object][] = [
    [
      'there is no answer',
      ({ last }) => last().fail({ code: 'TRANSPORT_ERR_REFUSED' }),
      { code: 'TRANSPORT_ERR_REFUSED' },
    ],
    [
      'of the status',
      ({ last }) => last().answer('no', 403),
      { code: 'TRANSPORT_ERR_STATUS', description: 403 },
    ],
    ['the answer is no stream', ({ last }) => last().answer('<html>'), { code: 'TRANSPORT_ERR_PROTOCOL' }],
    [
      'the stream ends before a word',
      ({ last }) => {
        last().piece('retry: 1000\n\n');
        last().answer('');
      },
      { code: 'TRANSPORT_ERR_CLOSED' },
    ],
  ];
  it.each(failures)('cannot be opened when %s', (_name, act, error) => {
    const s = start({ isExtended: true });
    act(s);
    expect(s.log).toMatchObject([
      ['closed', 'failed', { message: 'event stream error', transport: 'sse', step: 'open', ...error }],
    ]);
    expect(s.requests).toHaveLength(1);
  });

  it('says that the server does not know the session', () => {
    const { last, log } = start({ isExtended: true });
    last().answer('{"code":1,"message":"Session ID unknown","end":"expired","received":17}', 400);
    expect(log).toMatchObject([['closed', 'failed', { code: 'TRANSPORT_ERR_STATUS' }, 4001]]);
  });

  it('fails when the stream ends or breaks', () => {
    for (const [end, code] of [
      ['answer', 'TRANSPORT_ERR_CLOSED'],
      ['fail', 'TRANSPORT_ERR_NETWORK'],
    ] as const) {
      const { stream, log, requests, advance } = opened();
      advance(60_000);
      stream[end]('');
      expect(log).toMatchObject([['closed', 'failed', { step: 'read', code }]]);
      expect(requests).toHaveLength(1);
    }
  });

  it('opens another stream when one was cut after a while, and messages are counted', () => {
    const { stream, log, requests, advance, last, transport } = opened({ isExtended: true });
    transport.send([message('a')]);
    const post = last();
    advance(5000);
    stream.fail();
    expect(requests).toHaveLength(3);
    expect(last()).toMatchObject({ isPost: false, isStream: true });
    last().piece('data: 70\n\nid: 1\ndata: 4b\n\n');
    post.answer('71');
    expect(log).toEqual([['7', '0'], ['4', 'b'], ['7', '1'], ['drained']]);
    advance(10);
    last().fail();
    expect(log.at(-1)).toMatchObject(['closed', 'failed', { step: 'read' }]);
  });

  it('gives the stream up when a POST fails', () => {
    const { transport, stream, last, log } = opened();
    transport.send([message('a')]);
    last().fail({ code: 'TRANSPORT_ERR_TIMEOUT' });
    expect(log).toMatchObject([['closed', 'failed', { step: 'write', code: 'TRANSPORT_ERR_TIMEOUT' }]]);
    expect(stream.isAborted).toBe(true);
  });

  it('is closed by the server’s close packet, and hears nothing after it', () => {
    const { stream, log } = opened();
    stream.piece('data: 4a\n\ndata: 1\n\ndata: 4b\n\n');
    stream.answer('');
    expect(log).toEqual([
      ['4', 'a'],
      ['closed', 'byPeer', undefined],
    ]);
    expect(stream.isAborted).toBe(true);
  });

  it('says goodbye when it is closed, after what was sent', () => {
    const { transport, stream, last, log, requests } = opened();
    transport.send([message('a')]);
    transport.close();
    expect(requests).toHaveLength(2);
    last().answer('ok');
    expect(last()).toMatchObject({ body: '1', isLast: true });
    expect(stream.isAborted).toBe(false);
    last().answer('ok');
    expect(log).toEqual([['closed', 'byUs', undefined]]);
    expect(stream.isAborted).toBe(true);
  });

  it('gives up at once when it was not yet open, or is terminated', () => {
    for (const [s, end] of [
      [start(), 'close'],
      [opened(), 'terminate'],
    ] as const) {
      s.transport[end]();
      s.transport.terminate();
      s.requests[0]!.piece('data: 4late\n\n');
      s.requests[0]!.fail();
      expect(s.log).toEqual([['closed', 'byUs', undefined]]);
      expect(s.requests[0]!.isAborted).toBe(true);
    }
  });

  it('needs no pause but for a POST', () => {
    const { transport, last, log } = opened();
    transport.pause(() => log.push(['paused']));
    expect(log).toEqual([['paused']]);
    transport.send([message('a')]);
    transport.pause(() => log.push(['paused again']));
    last().answer('ok');
    expect(log).toEqual([['paused'], ['drained'], ['paused again']]);
  });
});
