/**
 * What: checks the query and the method of a request against the protocol and the sessions there are.
 * Must not know: origins, middlewares, and how a refusal is answered.
 */
import { TransportName } from '../../transport/port.ts';
import { carrierKinds } from './carriers.ts';
import type { EndedSessions } from './ended-sessions.ts';
import type { ResolvedOptions } from './options.ts';
import { errors, type Refusal, type RefusalContext } from './refusal.ts';
import { type EngineRequest, queryOf } from './request.ts';
import { ResumableSocket } from './resumable-session.ts';
import type { Socket } from './session.ts';
import { announcesSession, isAttaching, unknownSession, verifyCounts } from './session-requests.ts';

type Clients = Readonly<Record<string, Socket | undefined>>;

function badRequest(context: RefusalContext): Refusal {
  return { code: errors.BAD_REQUEST, context };
}

/** @returns `null` when the request may go on. */
export function verifyRequest(
  request: EngineRequest,
  isUpgrade: boolean,
  opts: ResolvedOptions,
  clients: Clients,
  ended: EndedSessions,
): Refusal | null {
  const { transport, sid } = queryOf(request);
  if (
    transport === undefined ||
    !opts.transports.includes(transport) ||
    !isSpoken(transport, request, opts)
  ) {
    return { code: errors.UNKNOWN_TRANSPORT, context: { transport } };
  }
  if (isUpgrade !== (transport === TransportName.websocket)) {
    const message = isUpgrade
      ? `A WebSocket handshake must ask for transport=websocket, not ${transport}.`
      : undefined;
    if (sid === undefined || isUpgrade) return badRequest({ name: 'TRANSPORT_HANDSHAKE_ERROR', message });
  }
  if (sid !== undefined) {
    const session = clients[sid];
    if (session instanceof ResumableSocket) return verifyResumable(session, transport, request, opts);
    // Who comes too late with a WebSocket is let in, to be told by a close code.
    if (session === undefined && isUpgrade && opts.session !== false && isAttaching(request)) return null;
    if (session === undefined) return unknownSession(sid, ended.find(sid));
    return verifySession(session, transport, isUpgrade, opts);
  }
  // Engine.IO protocol 4, "Handshake": a session begins with a GET; over HTTP/2 a WebSocket has CONNECT in its place.
  if (request.method !== 'GET' && !(isUpgrade && request.method === 'CONNECT')) {
    return { code: errors.BAD_HANDSHAKE_METHOD, context: { method: request.method } };
  }
  return null;
}

/** Transports beyond the standard carry only sessions that count: an answer or a POST of theirs may get lost. */
function isSpoken(transport: string, request: EngineRequest, { session }: ResolvedOptions): boolean {
  if (carrierKinds[transport]?.isStandard !== false) return true;
  const { attach, from } = queryOf(request);
  return session !== false && (announcesSession(request) || attach !== undefined || from !== undefined);
}

function verifyResumable(
  session: ResumableSocket,
  transport: string,
  request: EngineRequest,
  { allowUpgrades }: ResolvedOptions,
): Refusal | null {
  const { method } = request;
  const message =
    method === 'GET' || method === 'POST' || method === 'CONNECT'
      ? verifyCounts(request)
      : `A session knows GET and POST, not ${method}.`;
  if (message !== null) return badRequest({ name: 'INVALID_COUNT', message });
  const previousTransport = session.transport.name;
  if (allowUpgrades || transport === previousTransport) return null;
  const name = 'UPGRADE_NOT_POSSIBLE';
  return badRequest({ name, message: 'Upgrades are switched off.', transport, previousTransport });
}

function verifySession(
  session: Socket,
  transport: string,
  isUpgrade: boolean,
  opts: ResolvedOptions,
): Refusal | null {
  const previousTransport = session.transport.name;
  if (!isUpgrade) {
    if (previousTransport === transport) return null;
    return badRequest({ name: 'TRANSPORT_MISMATCH', transport, previousTransport });
  }
  if (session.upgrading || !opts.allowUpgrades || previousTransport === transport) {
    const message = opts.allowUpgrades ? 'The session is upgraded already.' : 'Upgrades are switched off.';
    return badRequest({ name: 'UPGRADE_NOT_POSSIBLE', message, transport, previousTransport });
  }
  return null;
}

/** Engine.IO protocol 4, "Handshake": the parameter EIO is the revision that the client speaks. */
export function verifyProtocol(request: EngineRequest): Refusal | null {
  const { EIO } = queryOf(request);
  if (EIO === '4') return null;
  return {
    code: errors.UNSUPPORTED_PROTOCOL_VERSION,
    context: { protocol: EIO === undefined ? 3 : Number(EIO) },
  };
}
