/** Presence and history, as the compiler sees them. */
import type {
  HistoryEvents,
  HistoryMark,
  PresenceEvents,
  PresenceMember,
  Server,
  Socket,
} from '../../src/entry/index.ts';
import { expectType, type Same } from './expect-type.ts';

interface Meta {
  status: string;
}
interface ServerToClient extends HistoryEvents, PresenceEvents<Meta> {
  chat: (text: string, mark?: HistoryMark) => void;
  asks: (answer: (text: string) => void) => void;
}
declare const io: Server<Record<never, never>, ServerToClient>;
declare const socket: Socket<Record<never, never>, ServerToClient>;

const room = io.presence<Meta>('a');
expectType<Same<ReturnType<typeof room.list>, Promise<PresenceMember<Meta>[]>>>();
room.join(socket, { status: 'online' }, { key: 'ada' });
room.on('leave', (member) => expectType<Same<typeof member, PresenceMember<Meta>>>());
// @ts-expect-error a meta that is none
room.join(socket, { status: 1 });
// @ts-expect-error no such event
room.on('left', () => {});

// Nobody has said what metas are: they are looked at before they are used.
async () => {
  for (const { meta } of await io.presence('b').list()) expectType<Same<typeof meta, unknown>>();
};

const history = io.history('a', { limitEvents: 5 });
const kept = history.emit('chat', 'hello');
expectType<Same<typeof kept, Promise<HistoryMark>>>();
history.join(socket, { since: 'whatever' });
// @ts-expect-error arguments that do not fit
history.emit('chat', 1);
// @ts-expect-error an event that wants an answer
history.emit('asks');
// @ts-expect-error no such limit
io.history('a', { limit: 5 });
