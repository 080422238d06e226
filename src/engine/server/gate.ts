/**
 * What: the checks that a request passes before a session hears of it: limits, middlewares, protocol, the program's word.
 * Must not know: origins, how a request is answered, how a session begins.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Admission } from './admission.ts';
import type { EndedSessions } from './ended-sessions.ts';
import { type Middleware, runMiddlewares } from './middleware.ts';
import type { ResolvedOptions } from './options.ts';
import { errorMessages, errors, type Refusal } from './refusal.ts';
import { type EngineRequest, queryOf } from './request.ts';
import type { Socket } from './session.ts';
import { verifyProtocol, verifyRequest } from './verify.ts';

/** What the checks look at. */
export interface GateSettings {
  readonly opts: ResolvedOptions;
  readonly clients: Readonly<Record<string, Socket | undefined>>;
  readonly endedSessions: EndedSessions;
  readonly admission: Admission;
}

/** Lets requests in, each once, or refuses them with a reason. */
export class Gate {
  readonly middlewares: Middleware[] = [];
  readonly #settings: GateSettings;
  /** Of first requests: what takes them off the handshakes. */
  readonly #handshakes = new WeakMap<IncomingMessage, () => void>();

  constructor(settings: GateSettings) {
    this.#settings = settings;
  }

  /** A session has begun with this request, which is no handshake under way any more. */
  entered(request: IncomingMessage): void {
    this.#handshakes.get(request)?.();
  }

  /** A first request counts as a handshake until a session has begun or it was refused, or its client has gone. */
  admit(
    request: EngineRequest,
    response: ServerResponse | null,
    connection: Duplex | ServerResponse,
    isUpgrade: boolean,
    refuse: (refusal: Refusal) => void,
    goOn: (refuse: (refusal: Refusal) => void) => void,
  ): void {
    if (queryOf(request).sid !== undefined) {
      this.#continue(request, response, isUpgrade, refuse, () => goOn(refuse));
      return;
    }
    const admitted = this.#settings.admission.begin(request);
    if ('refusal' in admitted) {
      refuse(admitted.refusal);
      return;
    }
    let isOver = false;
    const left = (): void => {
      isOver = true;
      connection.off('close', left);
      // Not left to the collector: until its next full round, entries keep what they lead to, the request among it.
      this.#handshakes.delete(request);
      admitted.left();
    };
    const refuseAndLeave = (refusal: Refusal): void => {
      left();
      refuse(refusal);
    };
    this.#handshakes.set(request, left);
    this.#continue(request, response, isUpgrade, refuseAndLeave, () => goOn(refuseAndLeave));
    if (!isOver) connection.on('close', left);
  }

  /** Middlewares, then the protocol, then `allowRequest` and the id for who begins a session. */
  #continue(
    request: EngineRequest,
    response: ServerResponse | null,
    isUpgrade: boolean,
    refuse: (refusal: Refusal) => void,
    goOn: () => void,
  ): void {
    const { opts, clients, endedSessions } = this.#settings;
    const verify = (): void => {
      const refusal = verifyRequest(request, isUpgrade, opts, clients, endedSessions);
      if (refusal !== null) refuse(refusal);
      else if (queryOf(request).sid === undefined) this.#askProgram(request, refuse, goOn);
      else goOn();
    };
    if (response === null || this.middlewares.length === 0) {
      verify();
      return;
    }
    runMiddlewares(this.middlewares, request, response, (error) => {
      if (error) refuse({ code: errors.BAD_REQUEST, context: { name: 'MIDDLEWARE_FAILURE', error } });
      else verify();
    });
  }

  #askProgram(request: EngineRequest, refuse: (refusal: Refusal) => void, goOn: () => void): void {
    const { allowRequest } = this.#settings.opts;
    const decide = (isAllowed: boolean, message?: string): void => {
      const refusal = isAllowed
        ? verifyProtocol(request)
        : { code: errors.FORBIDDEN, context: { message: message ?? errorMessages[errors.FORBIDDEN] } };
      if (refusal === null) goOn();
      else refuse(refusal);
    };
    if (allowRequest === undefined) {
      decide(true);
      return;
    }
    let wasCalled = false;
    allowRequest(request, (message, isAllowed) => {
      if (wasCalled) return;
      wasCalled = true;
      decide(isAllowed, message ?? undefined);
    });
  }
}
