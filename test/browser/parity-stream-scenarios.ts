/**
 * What: what programs do with a WebSocketStream, as scripts that note what they see.
 * Must not know: where they run.
 */
import type { Scenario } from './parity-scenarios.ts';

export const streamScenarios: readonly Scenario[] = [
  {
    name: 'construction: arguments',
    script: `
      const values = [[], ['x:'], ['ws://x/#'], [Symbol()], [base, { protocols: 'a' }], [base, { protocols: ['a', 'a'] }], [base, { protocols: null }],
        [base, { signal: {} }], [base, { signal: null }], [base, 5], [base, null], [base, {}], [base, { signal: undefined }], [base, { protocols: [] }]];
      for (const value of values) note(attempt(() => {
        const stream = new WebSocketStream(...value);
        stream.close();
        return stream.url.replace(base, '');
      }));`,
  },
  {
    name: 'interface: members',
    script: `
      const describe = (object) => Object.entries(Object.getOwnPropertyDescriptors(object))
        .map(([name, d]) => name + ':' + [d.enumerable, typeof d.get, typeof d.set, typeof d.value]).sort();
      note(describe(WebSocketStream.prototype), describe(WebSocketError.prototype), WebSocketStream.length, WebSocketError.length);
      const { get } = Object.getOwnPropertyDescriptor(WebSocketStream.prototype, 'opened');
      note(await settle(get.call({})), attempt(() => WebSocketStream.prototype.url));`,
  },
  {
    name: 'interface: WebSocketError',
    script: `
      const values = [[], ['m'], ['m', { closeCode: 3000 }], ['m', { reason: 'x' }], ['m', { reason: '' }], ['m', { closeCode: 1001 }],
        ['m', { reason: 'x'.repeat(124) }], ['m', { closeCode: null }], ['m', 5], [undefined], [null], ['m', { closeCode: '4999.4', reason: null }]];
      for (const value of values) note(attempt(() => {
        const e = new WebSocketError(...value);
        return [e.name, e.message, e.code, e.closeCode, e.reason, e instanceof DOMException, String(e), Object.prototype.toString.call(e)];
      }));`,
  },
  {
    name: 'opening: what opened gives',
    script: `
      const stream = new WebSocketStream(base + '/choose', { protocols: ['a', 'b'] });
      const info = await stream.opened;
      note(Object.keys(info), info.protocol, info.extensions, stream.url.replace(base, ''));
      note(info.readable instanceof ReadableStream, info.writable instanceof WritableStream);
      stream.close();
      note(await stream.closed);`,
  },
  {
    name: 'opening: refused',
    script: `
      const stream = new WebSocketStream(base + '/refuse/403');
      note(await settle(stream.opened), await settle(stream.closed));`,
  },
  {
    name: 'opening: closed meanwhile',
    script: `
      const stream = new WebSocketStream(base);
      stream.close({ closeCode: 3000, reason: 'x' });
      note(await settle(stream.opened), await settle(stream.closed));`,
  },
  {
    name: 'opening: aborted before, meanwhile and after',
    script: `
      const before = new WebSocketStream(base, { signal: AbortSignal.abort() });
      note(await settle(before.opened), await settle(before.closed));
      const controller = new AbortController();
      const meanwhile = new WebSocketStream(base, { signal: controller.signal });
      controller.abort();
      note(await settle(meanwhile.opened), await settle(meanwhile.closed));
      const late = new AbortController();
      const after = new WebSocketStream(base, { signal: late.signal });
      await after.opened;
      late.abort();
      await later();
      after.close();
      note(await settle(after.closed));`,
  },
  {
    name: 'echo: texts, values, many',
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const writer = writable.getWriter(), reader = readable.getReader();
      note(writer.desiredSize);
      for (const value of ['t\\u00e9xt', '', 5, null, [1, 2], '\\ud800', new Blob(['x'])]) {
        await writer.write(value);
        note((await reader.read()).value);
      }
      writer.write('!many 50');
      for (let i = 0; i < 50; i++) note((await reader.read()).value);
      stream.close({ closeCode: 4000, reason: 'd\\u00f6ne' });
      note(await stream.closed, await readAll(reader), await settle(writer.closed), await settle(writer.write('x')));`,
  },
  {
    name: 'echo: bytes',
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const writer = writable.getWriter(), reader = readable.getReader();
      const memory = new Uint8Array([1, 2, 3, 4]).buffer;
      for (const value of [memory, new Uint16Array(memory, 2, 1), new DataView(memory, 1, 2), new Uint8Array(0)]) {
        await writer.write(value);
        note([...new Uint8Array((await reader.read()).value)]);
      }
      stream.close();
      note(await stream.closed);`,
  },
  {
    name: 'echo: backpressure both ways with 200 messages of 50 kB',
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const writer = writable.getWriter(), reader = readable.getReader();
      const text = 'x'.repeat(50000);
      const writing = (async () => { for (let i = 0; i < 200; i++) { await writer.ready; writer.write(i + text); } })();
      let inOrder = true;
      for (let i = 0; i < 200; i++) inOrder &&= (await reader.read()).value === i + text;
      await writing;
      note(inOrder);
      stream.close();
      note(await stream.closed);`,
  },
  {
    name: 'writing: what cannot be converted fails the stream and not the connection',
    script: `
      for (const value of [Symbol(), { toString() { throw new RangeError('own'); } }]) {
        const stream = new WebSocketStream(base);
        const { writable } = await stream.opened;
        const writer = writable.getWriter();
        note(await settle(writer.write(value)), await settle(writer.closed));
        await later();
        stream.close();
        note(await stream.closed);
      }`,
  },
  {
    name: 'writing: in the closing handshake it is discarded',
    script: `
      const stream = new WebSocketStream(base);
      const { writable } = await stream.opened;
      const writer = writable.getWriter();
      stream.close();
      note(await settle(writer.write('x')));
      note(await stream.closed);`,
  },
  {
    name: 'closing: what close() takes and throws',
    script: `
      const stream = new WebSocketStream(base);
      await stream.opened;
      for (const value of [{ closeCode: 1001 }, { closeCode: null }, { closeCode: 'x' }, { reason: 'x'.repeat(124) }, 5, { closeCode: Symbol() }])
        note(attempt(() => stream.close(value)));
      note(attempt(() => stream.close({ reason: 'only' })));
      note(attempt(() => stream.close({ closeCode: 1001 })));
      note(await stream.closed);`,
  },
  ...[
    '',
    '{}',
    'null',
    '{ closeCode: 1000 }',
    "{ closeCode: 3456, reason: 'pizza' }",
    "{ closeCode: undefined, reason: '' }",
  ].map((argument) => ({
    name: `closing: by close(${argument})`,
    script: `
        const stream = new WebSocketStream(base);
        const { readable, writable } = await stream.opened;
        const reader = readable.getReader(), writer = writable.getWriter();
        stream.close(${argument});
        note(await stream.closed, await reader.read(), await settle(reader.closed), await settle(writer.closed));`,
  })),
  ...['', '4002 b\u00ffe', '1011'].map((argument) => ({
    name: `closing: by the server with '${argument}'`,
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const reader = readable.getReader(), writer = writable.getWriter();
      await writer.write('!close ${argument}');
      note(await stream.closed, await reader.read(), await settle(writer.write('x')), await settle(writer.closed));`,
  })),
  ...['end', 'opcode', 'reset'].map((command) => ({
    name: `closing: uncleanly (${command})`,
    script: `
      const stream = new WebSocketStream(base + '/raw');
      const { readable, writable } = await stream.opened;
      const reader = readable.getReader(), writer = writable.getWriter();
      writer.write('${command}');
      note(await settle(stream.closed), await settle(reader.read()), await settle(writer.closed));
      note((await settle(stream.closed)) === (await settle(reader.read())));`,
  })),
  {
    name: 'closing: by writer.close(), in order',
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const reader = readable.getReader(), writer = writable.getWriter();
      const done = [
        writer.close().then(() => note('writer.close()')),
        stream.closed.then((info) => note('closed', info)),
        reader.closed.then(() => note('reader.closed')),
        writer.closed.then(() => note('writer.closed')),
      ];
      await Promise.all(done);`,
  },
  {
    name: 'closing: by writer.close(), what the server says in the handshake is dropped',
    script: `
      const stream = new WebSocketStream(base + '/raw/messages-first');
      const { readable, writable } = await stream.opened;
      const reader = readable.getReader();
      const all = readAll(reader);
      await writable.getWriter().close();
      note(await all, await stream.closed);`,
  },
  ...[
    ['writer.abort', 'undefined'],
    ['writer.abort', "new Error('x')"],
    ['writer.abort', "new WebSocketError('m', { closeCode: 3001, reason: 'ab' })"],
    ['writer.abort', '{ closeCode: 3001 }'],
    ['reader.cancel', 'undefined'],
    ['reader.cancel', "new WebSocketError('m', { reason: 'only' })"],
    ['reader.cancel', "new WebSocketError('m')"],
  ].map(([call, argument]) => ({
    name: `closing: by ${call}(${argument})`,
    script: `
      const stream = new WebSocketStream(base);
      const { readable, writable } = await stream.opened;
      const reader = readable.getReader(), writer = writable.getWriter();
      const reason = ${argument};
      note(await settle(${call}(reason)));
      note(await stream.closed, await settle(reader.read()), (await settle(writer.closed)) === reason);`,
  })),
];
