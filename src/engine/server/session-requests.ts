/**
 * What: what the requests of a resumable session ask for: attach a connection, take the packets of a POST.
 * Must not know: origins, middlewares, sessions of the standard, and how a session counts.
 */
import type { ServerResponse } from 'node:http';
import { PeerError } from '../../base/errors.ts';
import { SessionError } from '../../protocol/session/send-window.ts';
import { parseCount } from '../../protocol/session/session.ts';
import { answerPackets, refuse as refuseBody, respond } from '../../transport/long-polling/node-answer.ts';
import { readPackets } from '../../transport/long-polling/node-post.ts';
import { PostTaking } from '../../transport/long-polling/node-post-taking.ts';
import type { Transport } from '../../transport/port.ts';
import { OutgoingPacket, PacketType } from '../../wire/engine/packet.ts';
import { type CarrierSettings, carrierKinds, type HttpCarrier } from './carriers.ts';
import type { EndedSession } from './ended-sessions.ts';
import { errors, type Refusal } from './refusal.ts';
import { type EngineRequest, queryOf } from './request.ts';
import type { PendingPost, ResumableSocket } from './resumable-session.ts';

/** How long a poll that came too late is kept waiting. */
const LATE_POLL_MS = 1000;

const NOOP = [new OutgoingPacket(PacketType.noop)];

const PACKETS_TYPE = 'text/plain; charset=UTF-8';

/** As long as it cannot be more than 2^53 - 1. */
const VERSION = /^[1-9]\d{0,14}$/;

/** Whether a request begins a session that may outlive its connections. */
export function announcesSession(request: EngineRequest): boolean {
  // docs/protocol/session.md, "Announcement": the highest version that the client speaks, and it speaks those below.
  return VERSION.test(queryOf(request).tautline ?? '');
}

/** Whether a request attaches a connection to such a session. */
export function isAttaching(request: EngineRequest): boolean {
  return queryOf(request).attach !== undefined;
}

/**
 * Checks the counts of a request to a resumable session.
 * @returns what is wrong; the session is not harmed by it.
 */
export function verifyCounts(request: EngineRequest): string | null {
  const { attach, from } = queryOf(request);
  const isPost = request.method === 'POST';
  const [name, text] = isPost ? (['from', from] as const) : (['attach', attach] as const);
  if (text === undefined)
    return `This session counts its messages: a ${request.method} needs the parameter ${name}.`;
  try {
    parseCount(text);
    return null;
  } catch (error) {
    return `The parameter ${name}: ${(error as Error).message}`;
  }
}

/** The count that a GET presents. */
function presentedCount(request: EngineRequest): number {
  const count = parseCount(queryOf(request).attach ?? '');
  const lastEventId = request.headers['last-event-id'];
  if (typeof lastEventId !== 'string') return count;
  // WHATWG HTML section 9.2.3: an event stream that reconnects by itself repeats its URL, and says in this header how
  // far it got.
  try {
    return Math.max(count, parseCount(lastEventId));
  } catch {
    return count;
  }
}

/**
 * Attaches a connection with the count that the request presents.
 * @returns why the session cannot go on with that count, which the client must be told; `null` when it does.
 */
export function attachConnection(
  session: ResumableSocket,
  transport: Transport,
  request: EngineRequest,
): EndedSession | null {
  try {
    session.attach(transport, presentedCount(request));
    return null;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const { received } = session.machine;
    // A late duplicate of a request asks for what was confirmed since: no fault of the session's.
    if (error.code === SessionError.countWentBack) return { end: 'gone', received };
    session.fail(error);
    return { end: 'protocol', received };
  }
}

/** The refusal for a session that is no more, with what is known of its end. */
export function unknownSession(sid: string, ended: EndedSession | undefined): Refusal {
  return { code: errors.UNKNOWN_SID, context: ended === undefined ? { sid } : { sid, ended } };
}

/** Answers a GET: with the next words of the session, as soon as there are some. */
export function takeGet(
  session: ResumableSocket,
  request: EngineRequest,
  response: ServerResponse,
  settings: CarrierSettings,
  refuse: (refusal: Refusal) => void,
): void {
  const kind = carrierKinds[queryOf(request).transport ?? ''];
  if (kind === undefined || kind.create === null) {
    refuse({ code: errors.BAD_REQUEST, context: { name: 'TRANSPORT_MISMATCH' } });
    return;
  }
  const { transport } = session;
  const { first, transport: name } = queryOf(request);
  const isNext = session.isAttached && !kind.isStream && first === undefined;
  if (isNext && transport.name !== name) {
    // The row that another connection took over from, whose client has not heard of that yet. It must not take over
    // again, and would ask for ever if it were answered at once.
    settings.clock.setTimer(LATE_POLL_MS, () => answerPackets(settings, response, session.id, NOOP));
    return;
  }
  const goesOn = isNext && transport.name === name;
  const carrier = goesOn ? (transport as HttpCarrier) : kind.create(settings, session.id);
  const ended = attachConnection(session, carrier, request);
  if (ended === null) carrier.handleGet(response, session.cursor);
  else refuse(unknownSession(session.id, ended));
}

/** Takes what is new of a POST, and answers with the count, so that the client knows what need not be sent again. */
export function takePost(
  session: ResumableSocket,
  request: EngineRequest,
  response: ServerResponse,
  settings: CarrierSettings,
): void {
  const { id: sid, machine } = session;
  const from = parseCount(queryOf(request).from ?? '');
  const answer = (): void => {
    // Nobody may listen to the answer where another transport carries the session by now: then nothing was told.
    const isHeard = session.transport.name === queryOf(request).transport;
    const count = isHeard ? machine.tellCount() : machine.received;
    respond(settings, response, sid, 200, PACKETS_TYPE, `7${count}`);
  };
  // Whoever sends another POST has given up the one before.
  session.post?.stop();
  session.post = null;
  let pending: PendingPost | null = null;
  const done = (): void => {
    if (session.post === pending) session.post = null;
    pending = null;
  };
  const begin = (stop: () => void, goOn: () => void): void => {
    pending = {
      stop() {
        stop();
        answer();
      },
      goOn,
    };
    session.post = pending;
  };
  let isRead = false;
  const stopReading = readPackets(settings, request, (result) => {
    isRead = true;
    done();
    if (result === null) return;
    if (result instanceof PeerError) {
      refuseBody(settings, response, sid, result.limit === undefined ? 400 : 413, result.message);
      session.fail(result);
      return;
    }
    // One before is missing. The client begins again at the count that it is answered with.
    if (!session.mayTake(from)) {
      answer();
      return;
    }
    let index = from;
    const taking = new PostTaking(settings, result, response, {
      get isHeld() {
        return session.isHeld;
      },
      take(packet) {
        index = session.takePacket(index, packet);
      },
      taken(isGivenUp) {
        done();
        if (!isGivenUp) answer();
      },
    });
    if (!taking.isOver)
      begin(
        () => taking.stop(),
        () => taking.goOn(),
      );
  });
  if (!isRead) begin(stopReading, () => {});
}
