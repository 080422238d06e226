/**
 * What: keeps a contract on a client: its events are typed, and what the server sends is validated before listeners.
 * Must not know: how packets come and go, or any schema library.
 */
import { REFUSED_EVENT, RefusedError, refusalIn } from '../base/refusal.ts';
import type { HistoryEvents, PresenceEvents } from '../base/room-events.ts';
import type { Contract, Verdict } from '../contract/contract.ts';
import type { ClientEmits, ClientListens, ContractSpec } from '../contract/contract-types.ts';
import { EventJudge } from '../contract/event-judge.ts';
import type { EventSocket } from '../streams/event-socket.ts';
import { STREAM_EVENT } from '../streams/message.ts';
import { StreamPeer } from '../streams/stream-peer.ts';
import { type EventArguments, type EventPacket, type Packet, PacketType } from '../wire/events/packet.ts';
import type { Ack, Socket } from './socket.ts';

/** What a contract's client listens to: what the contract has, and what a server of ours says by itself. */
type ListensOf<Spec extends ContractSpec> = ClientListens<Spec> &
  Omit<HistoryEvents & PresenceEvents, keyof ClientListens<Spec>>;

/** What a server of ours says beside the program's events, and no contract is asked for: presence, history, refusals. */
const OWN_EVENTS = /^(tautline:|presence:|history$)/;

const noAck = (): void => {};

/** Packets of one socket on their way through schemas that take their time; what comes behind waits. */
type Queue = Promise<void> | null;

/**
 * Types a socket by a contract, and validates what the server sends: events, answers, parts of streams.
 *
 * What breaks the contract goes no further: the server is told by the answer `{ error }`, or by `tautline:refused`; the
 * program by `violation`. An answer that breaks it, or in which the server refuses, is an error where one can be told:
 * `emitWithAck` rejects with `RefusedError`, a callback gets it first after `timeout()`; another is not called.
 * @param given a socket of ours.
 * @param contract the one that the server has.
 */
export function withContract<Spec extends ContractSpec>(
  given: Socket<never, never> | Socket,
  contract: Contract<Spec>,
): Socket<ListensOf<Spec>, ClientEmits<Spec>> {
  const socket = given as unknown as Socket;
  const options = { passesUnknown: (event: string) => OWN_EVENTS.test(event), refusesMore: false };
  const judge = new EventJudge(contract.serverToClient, contract.clientToServer, options);
  const receive = socket.onpacket.bind(socket);
  let queue: Queue = null;

  const violated = (error: RefusedError): void => socket._tell('violation', [error]);

  const refuse = (packet: EventPacket, { refusal }: RefusedError): void => {
    const { id, nsp, data } = packet;
    if (data[0] === STREAM_EVENT) {
      const streams = StreamPeer.of(socket as unknown as EventSocket);
      const [, kind, stream] = data;
      if (kind === 'open') streams.refuse(stream as number, refusal);
      else streams.refusePart(stream as number, new RefusedError(refusal));
    } else if (id === undefined) {
      socket.emit(REFUSED_EVENT, refusal);
    } else {
      socket.io._packet({ type: PacketType.ack, nsp, id, data: [{ error: refusal }] });
    }
  };

  const judged = (packet: EventPacket): Verdict | Promise<Verdict> => {
    const [name, ...values] = packet.data;
    if (name !== STREAM_EVENT) return judge.event(String(name), values, packet.id !== undefined);
    const streams = StreamPeer.of(socket as unknown as EventSocket);
    return judge.streamMessage(values, (id) => streams.nameOf(id));
  };

  const decide = (packet: EventPacket, verdict: Verdict): void => {
    if ('values' in verdict) {
      const [name] = packet.data;
      // A listener that was promised a callback must be able to call it.
      const tail = packet.id === undefined && judge.takesAck(String(name)) ? [noAck] : [];
      receive({ ...packet, data: [name, ...verdict.values, ...tail] as EventArguments });
      return;
    }
    const error = new RefusedError(verdict.refusal);
    refuse(packet, error);
    violated(error);
  };

  const take = (packet: Packet): Queue => {
    if (packet.type !== PacketType.event && packet.type !== PacketType.binaryEvent) {
      receive(packet);
      return null;
    }
    const verdict = judged(packet);
    if (verdict instanceof Promise) return verdict.then((later) => decide(packet, later));
    decide(packet, verdict);
    return null;
  };

  socket.onpacket = (packet) => {
    const later = queue === null ? take(packet) : queue.then(() => take(packet));
    if (later === null) return;
    const mine = later.then(() => {
      if (queue === mine) queue = null;
    });
    queue = mine;
  };

  socket._asked = ({ id, data }) => {
    const ack = socket.acks[id!]!;
    const event = String((data as EventArguments)[0]);
    const fail = (error: RefusedError): void => {
      if (ack.withError) ack.call(socket, error);
    };
    const answered: Ack = (...args) => {
      const [error] = args;
      // The connection is lost, or the event was not sent.
      if (ack.withError && error) {
        ack.apply(socket, args);
        return;
      }
      const answer = ack.withError ? args.slice(1) : args;
      const refusal = refusalIn(answer);
      if (refusal !== undefined) {
        fail(new RefusedError(refusal));
        return;
      }
      const tell = (verdict: Verdict): void => {
        if ('values' in verdict) {
          ack.apply(socket, ack.withError ? [null, ...verdict.values] : verdict.values);
          return;
        }
        const broken = new RefusedError(verdict.refusal);
        fail(broken);
        violated(broken);
      };
      const verdict = judge.answer(event, answer);
      if (verdict instanceof Promise) void verdict.then(tell);
      else tell(verdict);
    };
    answered.withError = ack.withError;
    socket.acks[id!] = answered;
  };

  return socket as unknown as Socket<ListensOf<Spec>, ClientEmits<Spec>>;
}
