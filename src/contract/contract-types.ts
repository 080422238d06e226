/**
 * What: types by which a contract types both ends: event maps for who sends and who receives.
 * Must not know: how a contract is kept; nothing here exists at run time.
 */
import type { IsAny, Untyped } from '../base/typed-events.ts';
import type { InputOf, OutputOf, StandardSchema } from './standard-schema.ts';

/** One event: its arguments, what it is acknowledged with, or the parts of the stream that it asks for. */
export interface EventSpec {
  /** One schema an argument; none by default. */
  readonly args?: readonly StandardSchema[];
  /** The arguments of the acknowledgement. Without it the event takes none. */
  readonly ack?: readonly StandardSchema[];
  /** A part of the answer, which makes the event a stream: `socket.stream()`, `socket.onStream()`. */
  readonly part?: StandardSchema;
}

/** An event as it is declared; a list is short for its arguments, a schema for its only one. */
export type EventDeclaration = EventSpec | readonly StandardSchema[] | StandardSchema;

/** Events by name. */
export type EventDeclarations = Readonly<Record<string, EventDeclaration>>;

/** What is declared of one namespace. */
export interface ContractSpec {
  /** What clients emit. Nothing by default. */
  readonly clientToServer?: EventDeclarations;
  /** What the server emits. Nothing by default. */
  readonly serverToClient?: EventDeclarations;
  /** The type of `socket.data` on the server. It is the program's own and not validated. */
  readonly data?: StandardSchema;
  /** What clients give as `auth`. The server validates it before its middlewares are asked. Anything by default. */
  readonly auth?: StandardSchema;
}

type Side = 'input' | 'output';

type Value<Schema, Which extends Side> = Schema extends StandardSchema
  ? Which extends 'input'
    ? InputOf<Schema>
    : OutputOf<Schema>
  : never;

type Values<Schemas extends readonly unknown[], Which extends Side> = {
  -readonly [Index in keyof Schemas]: Value<Schemas[Index], Which>;
};

/** Arguments at the end that may be undefined may be left out. */
type OptionalTail<Args extends readonly unknown[]> = Args extends readonly [...infer Head, infer Tail]
  ? undefined extends Tail
    ? [...OptionalTail<Head>, Tail?]
    : Args
  : Args;

type ArgsOf<Declared> = Declared extends StandardSchema
  ? [Declared]
  : Declared extends readonly unknown[]
    ? Declared
    : Declared extends { readonly args: infer Args extends readonly unknown[] }
      ? Args
      : [];

type Opposite<Which extends Side> = Which extends 'input' ? 'output' : 'input';

/** What travels back is written by the one who receives the event. */
type Handler<Declared, Which extends Side> = Declared extends { readonly '~standard': unknown }
  ? (...args: OptionalTail<Values<ArgsOf<Declared>, Which>>) => void
  : Declared extends { readonly part: infer Part }
    ? (...args: OptionalTail<Values<ArgsOf<Declared>, Which>>) => AsyncIterable<Value<Part, Opposite<Which>>>
    : Declared extends { readonly ack: infer Ack extends readonly unknown[] }
      ? (
          ...args: [
            ...Values<ArgsOf<Declared>, Which>,
            ack: (...answer: OptionalTail<Values<Ack, Opposite<Which>>>) => void,
          ]
        ) => void
      : (...args: OptionalTail<Values<ArgsOf<Declared>, Which>>) => void;

type MapOf<Declared, Which extends Side> = Declared extends EventDeclarations
  ? { -readonly [Name in keyof Declared]: Handler<Declared[Name], Which> }
  : Record<never, never>;

type Declared<Spec, Direction extends keyof ContractSpec> = Spec extends {
  readonly [_ in Direction]: infer It;
}
  ? It
  : undefined;

/** The events that a server with this contract listens to. */
export type ServerListens<Spec> = MapOf<Declared<Spec, 'clientToServer'>, 'output'>;
/** The events that it emits. */
export type ServerEmits<Spec> = MapOf<Declared<Spec, 'serverToClient'>, 'input'>;
/** The events that a client with this contract listens to. */
export type ClientListens<Spec> = MapOf<Declared<Spec, 'serverToClient'>, 'output'>;
/** The events that it emits. */
export type ClientEmits<Spec> = MapOf<Declared<Spec, 'clientToServer'>, 'input'>;
/** `socket.data` on a server with this contract; it carries the type of the credentials along. */
export type DataOf<Spec> =
  Declared<Spec, 'auth'> extends infer Auth extends StandardSchema
    ? PlainDataOf<Spec, Record<string, Untyped>> & WithAuth<OutputOf<Auth>>
    : PlainDataOf<Spec, Untyped>;

type PlainDataOf<Spec, Default> =
  Declared<Spec, 'data'> extends infer Schema extends StandardSchema ? OutputOf<Schema> : Default;

/** What a client of a server with this contract gives as `auth`. */
export type AuthOf<Spec> =
  Declared<Spec, 'auth'> extends infer Schema extends StandardSchema
    ? InputOf<Schema>
    : Record<string, Untyped>;

declare const authType: unique symbol;

/** Says what `handshake.auth` is, beside the type of `socket.data`. No value has it. */
export interface WithAuth<Auth> {
  readonly [authType]?: Auth;
}

/** `handshake.auth` of sockets whose data have this type. */
export type AuthBeside<SocketData> =
  IsAny<SocketData> extends true
    ? Untyped
    : typeof authType extends keyof SocketData
      ? NonNullable<SocketData[typeof authType]>
      : Record<string, Untyped>;
