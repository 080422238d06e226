/**
 * What: judges what one direction of a namespace carries against a contract: events, answers, streams.
 * Must not know: sockets, or what happens to what is refused.
 */
import { type EventRefusal, isRefusal, REFUSED_EVENT } from '../base/refusal.ts';
import { readStreamMessage } from '../streams/message.ts';
import { CONTRACT_ERROR, judge, refusalOf, type Verdict } from './contract.ts';
import type { EventSpec } from './contract-types.ts';

/** How strictly it is judged. */
export interface JudgeOptions {
  /** Whether an event that the contract does not have goes on as it is. */
  readonly passesUnknown: (event: string) => boolean;
  /** Whether more arguments than declared are refused. Not on clients: a server may put an offset behind. */
  readonly refusesMore: boolean;
}

type AnyEvents = ReadonlyMap<string, EventSpec>;

/** Judges what arrives at one end. */
export class EventJudge {
  readonly #incoming: AnyEvents;
  readonly #outgoing: AnyEvents;
  readonly #options: JudgeOptions;

  /**
   * @param incoming the events that arrive.
   * @param outgoing the events that are sent, whose answers and parts arrive.
   */
  constructor(incoming: AnyEvents, outgoing: AnyEvents, options: JudgeOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#options = options;
  }

  /**
   * @param values without the acknowledgement callback.
   * @returns the values that listeners get.
   */
  event(event: string, values: readonly unknown[], hasAck: boolean): Verdict | Promise<Verdict> {
    // Not in any contract, so nothing else may hide behind the name.
    if (event === REFUSED_EVENT) {
      const [told] = values;
      return isRefusal(told) && !hasAck ? { values: [told] } : { refusal: unknownEvent(event) };
    }
    const spec = this.#incoming.get(event);
    if (spec === undefined) {
      const mayPass = this.#options.passesUnknown(event);
      return mayPass ? { values: [...values] } : { refusal: unknownEvent(event) };
    }
    if (spec.part !== undefined) {
      return { refusal: refusalOf(event, CONTRACT_ERROR.event, `"${event}" is a stream, not an event.`) };
    }
    if (hasAck && spec.ack === undefined) {
      return { refusal: refusalOf(event, CONTRACT_ERROR.ack, `"${event}" takes no acknowledgement.`) };
    }
    return this.#args(event, spec, values);
  }

  #args(event: string, { args = [] }: EventSpec, values: readonly unknown[]): Verdict | Promise<Verdict> {
    if (this.#options.refusesMore && values.length > args.length) {
      const message = `"${event}" takes ${args.length} arguments, not ${values.length}.`;
      const issues = [{ path: [args.length], message: 'There is no such argument.' }];
      return { refusal: refusalOf(event, CONTRACT_ERROR.args, message, issues) };
    }
    const rest = values.slice(args.length);
    return withRest(judge(event, CONTRACT_ERROR.args, args, values), rest);
  }

  /** Whether listeners of an event expect a callback, also where the sender gave none. */
  takesAck(event: string): boolean {
    return this.#incoming.get(event)?.ack !== undefined;
  }

  /** The answer to an event that was sent. */
  answer(event: string, values: readonly unknown[]): Verdict | Promise<Verdict> {
    const ack = this.#outgoing.get(event)?.ack;
    if (ack === undefined) return { values: [...values] };
    if (this.#options.refusesMore && values.length > ack.length) {
      const message = `The answer to "${event}" has ${ack.length} arguments, not ${values.length}.`;
      return { refusal: refusalOf(event, CONTRACT_ERROR.answer, message) };
    }
    return withRest(judge(event, CONTRACT_ERROR.answer, ack, values), values.slice(ack.length));
  }

  /**
   * What a stream says: what it is asked with, and its parts; the rest carries nothing.
   * @param nameOf the stream that was asked for under an id.
   * @returns the values of the message. A refusal is for the stream, not for the event that carries it.
   */
  streamMessage(
    values: readonly unknown[],
    nameOf: (id: number) => string | undefined,
  ): Verdict | Promise<Verdict> {
    const message = readStreamMessage(values);
    if (message?.[0] === 'open') {
      const [kind, id, name, credit, args] = message;
      const spec = this.#incoming.get(name);
      if (spec?.part === undefined) return { refusal: unknownEvent(name) };
      return then(this.#args(name, spec, args), (list) => [kind, id, name, credit, list]);
    }
    if (message?.[0] === 'part') {
      const [kind, id, value] = message;
      const name = nameOf(id);
      const part = name === undefined ? undefined : this.#outgoing.get(name)?.part;
      if (name !== undefined && part !== undefined) {
        return then(judge(name, CONTRACT_ERROR.part, [part], [value]), (list) => [kind, id, list[0]]);
      }
    }
    return { values: [...values] };
  }
}

function unknownEvent(event: string): EventRefusal {
  return refusalOf(event, CONTRACT_ERROR.event, `"${event}" is not in the contract.`);
}

function withRest(verdict: Verdict | Promise<Verdict>, rest: readonly unknown[]): Verdict | Promise<Verdict> {
  return rest.length === 0 ? verdict : then(verdict, (values) => [...values, ...rest]);
}

function then(
  verdict: Verdict | Promise<Verdict>,
  change: (values: unknown[]) => unknown[],
): Verdict | Promise<Verdict> {
  if (verdict instanceof Promise) return verdict.then((later) => then(later, change));
  return 'values' in verdict ? { values: change(verdict.values) } : verdict;
}
