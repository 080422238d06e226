/**
 * What: the response of an extended CONNECT while middlewares look at it: sends when they answer, only notes otherwise.
 * Must not know: the middlewares, and who completes the handshake.
 */
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import { type HandshakeResponse, toHeaderLines } from './middleware.ts';

/**
 * Makes a response on a stream of HTTP/2. A middleware that answers with it answers the handshake; one that sets headers
 * adds them to the 200.
 */
export function createConnectResponse(stream: ServerHttp2Stream): HandshakeResponse {
  // Whoever has such a stream has loaded the module.
  const { Http2ServerResponse: Response } = process.getBuiltinModule('node:http2');
  // Node may have made a response of its own already; were both to end the stream with trailers, it would throw.
  stream.removeAllListeners('wantTrailers');
  const response: Http2ServerResponse = new Response(stream);
  const { writeHead } = response;
  let isTaken = false;
  // Libraries that add headers late (sessions, timings) hook into `writeHead`, above this.
  response.writeHead = ((...values: Parameters<typeof writeHead>) =>
    isTaken ? response : writeHead.apply(response, values)) as typeof writeHead;
  return Object.assign(response, {
    takeHeaderLines(): string[] {
      isTaken = true;
      response.writeHead(200);
      return toHeaderLines(response.getHeaders());
    },
  }) as unknown as HandshakeResponse;
}
