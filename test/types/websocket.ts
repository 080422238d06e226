/**
 * What: that programs get the types of the standard: events by name, data, options; and that mistakes do not compile.
 * Must not know: anything at run time; this file is compiled, never run.
 */
import {
  type BinaryType,
  type CloseEvent,
  ErrorEvent,
  MessageEvent,
  WebSocket,
  WebSocketError,
  type WebSocketInit,
  type WebSocketOpenInfo,
  WebSocketStream,
} from '../../src/entry/websocket.ts';
import type { Same } from './expect-type.ts';

/** Compiles when the value has exactly the type: `exactly<string>()(value)`. */
const exactly =
  <Expected>() =>
  <Value>(_value: Value, ..._verdict: Same<Value, Expected> extends true ? [] : [never]): void => {};

const ws = new WebSocket('ws://localhost', ['chat']);
new WebSocket(new URL('ws://localhost'));
new WebSocket('ws://localhost', 'chat');
new WebSocket('ws://localhost', new Set(['chat']));
new WebSocket('ws://localhost', { protocols: 'chat', headers: { Cookie: 'a=b' }, request: { ca: 'pem' } });
new WebSocket('ws://localhost', [], { headers: new Headers(), perMessageDeflate: false });
// @ts-expect-error: a URL is needed
new WebSocket();
// @ts-expect-error: no such option
new WebSocket('ws://localhost', [], { rejectUnauthorised: false });
const init: WebSocketInit = { payloadLimitBytes: 1000, handshakeTimeoutMs: 5000 };
exactly<number | undefined>()(init.payloadLimitBytes);

exactly<0 | 1 | 2 | 3>()(ws.readyState);
exactly<0>()(WebSocket.CONNECTING);
exactly<3>()(ws.CLOSED);
exactly<string>()(ws.url + ws.protocol + ws.extensions);
exactly<number>()(ws.bufferedAmount);
exactly<BinaryType>()(ws.binaryType);
ws.binaryType = 'arraybuffer';
// @ts-expect-error: not a binary type of the standard
ws.binaryType = 'nodebuffer';
// @ts-expect-error: read-only
ws.readyState = 1;

ws.onopen = function (event) {
  exactly<WebSocket>()(this);
  exactly<Event>()(event);
};
ws.onmessage = (event) => exactly<string | Blob | ArrayBuffer>()(event.data);
ws.onerror = (event) => {
  exactly<unknown>()(event.error);
  exactly<string>()(event.message);
};
ws.onclose = null;
ws.addEventListener('close', (event) => {
  exactly<CloseEvent>()(event);
  exactly<boolean>()(event.wasClean);
});
ws.addEventListener('message', { handleEvent: (event) => exactly<string>()(event.origin) }, { once: true });
ws.addEventListener('own', (event) => exactly<Event>()(event));
// @ts-expect-error: the close event has no data
ws.addEventListener('close', (event) => event.data);
ws satisfies EventTarget;

ws.send('text');
ws.send(new Uint8Array(1));
ws.send(Buffer.alloc(1));
ws.send(new ArrayBuffer(1));
ws.send(new Blob([]));
// @ts-expect-error: numbers are made strings by the program itself
ws.send(5);
ws.close();
ws.close(1000, 'reason');

exactly<number>()(new MessageEvent('message', { data: 5 }).data);
exactly<unknown>()(new ErrorEvent('error', { error: new Error() }).error);

const stream = new WebSocketStream('ws://localhost', {
  protocols: ['chat'],
  signal: AbortSignal.timeout(1000),
});
exactly<Promise<WebSocketOpenInfo>>()(stream.opened);
exactly<Promise<{ closeCode: number; reason: string }>>()(
  stream.closed.then(({ closeCode, reason }) => ({ closeCode, reason })),
);
stream.close({ closeCode: 1000, reason: 'done' });
// @ts-expect-error: the close code has its own name here
stream.close({ code: 1000 });

export async function talk(): Promise<void> {
  const { readable, writable } = await stream.opened;
  const { value } = await readable.getReader().read();
  exactly<string | Uint8Array<ArrayBuffer> | undefined>()(value);
  const writer = writable.getWriter();
  await writer.write('text');
  await writer.write(new Uint8Array(1));
  const error = new WebSocketError('message', { closeCode: 3000 });
  exactly<number | null>()(error.closeCode);
  error satisfies DOMException;
  await writer.abort(error);
}
