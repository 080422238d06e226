/**
 * What: keeps a contract on the server: what clients send that breaks it goes no further, and they are told.
 * Must not know: schemas, or how events are handed on.
 */
import { UsageError } from '../base/errors.ts';
import { type EventRefusal, RefusedError, refusalIn } from '../base/refusal.ts';
import type { Untyped } from '../base/typed-events.ts';
import { type Contract, judgeAuth, type Verdict } from '../contract/contract.ts';
import { EventJudge } from '../contract/event-judge.ts';
import type { EventSocket } from '../streams/event-socket.ts';
import { STREAM_EVENT } from '../streams/message.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import type { EventArguments } from '../wire/events/packet.ts';
import {
  type EventGuard,
  type GuardedAnswer,
  type GuardedEvent,
  refuseEvent,
  sendRefusal,
} from './event-guard.ts';
import type { AnySocket } from './socket.ts';

/** How a contract is kept. */
export interface ContractOptions {
  /**
   * What happens to events that the contract does not have. Default `refuse`; with `pass` they go on as they are, for
   * programs that move over step by step.
   */
  readonly unknownEvents?: 'refuse' | 'pass';
}

const noAck = (): void => {};

/** The guard that `contract()` adds. */
export class ContractGuard implements EventGuard {
  readonly #judge: EventJudge;
  readonly checkAuth: EventGuard['checkAuth'];

  constructor(contract: Contract, { unknownEvents = 'refuse' }: ContractOptions = {}) {
    if (unknownEvents !== 'refuse' && unknownEvents !== 'pass') {
      throw new UsageError(`unknownEvents is 'refuse' or 'pass', not ${String(unknownEvents)}.`, {
        code: 'CONTRACT_ERR_OPTION',
      });
    }
    const { auth: schema } = contract;
    if (schema !== undefined) {
      this.checkAuth = (auth) =>
        settle(judgeAuth(schema, auth), (verdict) =>
          'values' in verdict
            ? (verdict.values[0] as Record<string, Untyped>)
            : new RefusedError(verdict.refusal),
        );
    }
    const options = { passesUnknown: () => unknownEvents === 'pass', refusesMore: true };
    this.#judge = new EventJudge(contract.clientToServer, contract.serverToClient, options);
  }

  checkEvent(socket: AnySocket, event: EventArguments): GuardedEvent | Promise<GuardedEvent> {
    const name = String(event[0]);
    if (name === STREAM_EVENT) return this.#checkStream(socket, event);
    const last = event.at(-1);
    const ack = typeof last === 'function' ? last : undefined;
    const values = event.slice(1, ack === undefined ? undefined : -1);
    return settle(this.#judge.event(name, values, ack !== undefined), (verdict) => {
      if ('refusal' in verdict) {
        refuseEvent(socket, event, verdict.refusal);
        violated(socket, verdict.refusal);
        return null;
      }
      // A listener that was promised a callback must be able to call it.
      const tail = this.#judge.takesAck(name) ? [ack ?? noAck] : ack === undefined ? [] : [ack];
      return [event[0], ...verdict.values, ...tail];
    });
  }

  #checkStream(socket: AnySocket, event: EventArguments): GuardedEvent | Promise<GuardedEvent> {
    const streams = StreamPeer.of(socket as unknown as EventSocket);
    const [, kind, id] = event;
    return settle(
      this.#judge.streamMessage(event.slice(1), (asked) => streams.nameOf(asked)),
      (verdict) => {
        if ('values' in verdict) return [event[0], ...verdict.values];
        const { refusal } = verdict;
        if (kind === 'open') streams.refuse(id as number, refusal);
        else streams.refusePart(id as number, new RefusedError(refusal));
        violated(socket, refusal);
        return null;
      },
    );
  }

  checkAnswer(
    socket: AnySocket,
    event: string,
    answer: readonly unknown[],
  ): GuardedAnswer | Promise<GuardedAnswer> {
    // A client that keeps the contract too may have refused what we emitted.
    const refusedThere = refusalIn(answer);
    if (refusedThere !== undefined) return new RefusedError(refusedThere);
    return settle(this.#judge.answer(event, answer), (verdict) => {
      if ('values' in verdict) return verdict.values;
      sendRefusal(socket, verdict.refusal);
      violated(socket, verdict.refusal);
      return new RefusedError(verdict.refusal);
    });
  }
}

/** For the operator: it is counted, and told. */
function violated(socket: AnySocket, refusal: EventRefusal): void {
  const { nsp } = socket;
  nsp.violations++;
  nsp.emitReserved('violation', socket, refusal);
}

function settle<Result>(
  verdict: Verdict | Promise<Verdict>,
  decide: (verdict: Verdict) => Result,
): Result | Promise<Result> {
  return verdict instanceof Promise ? verdict.then(decide) : decide(verdict);
}
