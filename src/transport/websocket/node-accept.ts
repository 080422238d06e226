/**
 * What: the server's side of the opening handshake over a Node socket: check, negotiate, answer.
 * Must not know: who listens for upgrades, or what is done with the connection.
 *
 * Signatures that builder C writes against (the code follows):
 *
 *   interface AcceptOptions {
 *     // Chooses among the offered subprotocols; absent: the first offered.
 *     selectSubprotocol?: (offered: Set<string>, request: IncomingMessage) => string | false;
 *     deflate?: DeflateSettings | null;        // null (default): no permessage-deflate
 *     limits?: Partial<ConnectionLimits>;      // payloadLimitBytes, fragmentLimit, chunkLimit, memoryBudgetBytes
 *     checkUtf8?: boolean;                     // true
 *     autoPong?: boolean;                      // true
 *     closeTimeoutMs?: number;                 // 30000
 *     heartbeat?: { intervalMs: number; timeoutMs: number } | null;
 *     onHeaders?: (lines: string[], request) => void;   // may push extra header lines
 *   }
 *   acceptUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array, options: AcceptOptions): NodeConnection | null
 *     null: refused, the answer was written and the socket ends. Otherwise call connection.start(listener) at once.
 *   checkUpgrade(request, options): UpgradeRefusal | UpgradePlan      // the two halves, for servers that ask in between
 *   completeUpgrade(plan, request, socket, head, options): NodeConnection | null
 *   refuseUpgrade(socket, status, message, headers?): void
 */
export {};
