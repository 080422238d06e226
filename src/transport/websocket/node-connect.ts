/**
 * What: opens a WebSocket as a client over http.request / https.request (any option of theirs, TLS included).
 * Must not know: the public API above it.
 *
 * Signatures that builder E writes against (the code follows):
 *
 *   interface ConnectCallbacks {
 *     onOpen(connection: NodeConnection, response: IncomingMessage): void;  // call connection.start(listener) in it
 *     onError(error: Error): void;                                         // at most once, instead of onOpen
 *   }
 *   interface ConnectOptions extends http.RequestOptions, tls options {
 *     protocols?: string[]; headers?; origin?; followRedirects?; maxRedirects?; handshakeTimeoutMs?;
 *     deflate?: DeflateSettings | null; limits?; checkUtf8?; autoPong?; closeTimeoutMs?; heartbeat?;
 *   }
 *   connectWebSocket(url: string | URL, options: ConnectOptions, callbacks: ConnectCallbacks): { abort(error?: Error): void; request: ClientRequest }
 */
export {};
