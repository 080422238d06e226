/**
 * What: the parts of the room's server without sockets: state, checks, journal, rooms, files, budget.
 * Must not know: browsers, the network beyond one local HTTP server.
 */
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The example is plain JavaScript; these are the shapes that it has.
interface Stroke {
  stroke: string;
  by: string;
  points: number[];
}
interface Entry {
  seq: number;
  id: string;
  [key: string]: unknown;
}
interface View {
  seq: number;
  messages: { id: string; text: string; by: string }[];
  strokes: Stroke[];
}
interface State {
  apply(entry: object): void;
  has(id: string): boolean;
  view(): View;
  points: number;
}
interface Person {
  id: string;
  name: string;
}
interface Room {
  people: Map<string, Person>;
  accept(op: unknown, person: Person, nowMs?: number): { entry?: Entry; refused?: string };
  save(entries: Entry[]): Promise<void>;
  here(): Person[];
  view(): View;
}

const example = async <Module>(path: string): Promise<Module> =>
  import(new URL(`../../examples/room/${path}`, import.meta.url).href) as Promise<Module>;

const { LIMITS, BOARD, INKS, ERASER, roomName, personName } = await example<{
  LIMITS: Record<string, number>;
  BOARD: { width: number; height: number };
  INKS: number;
  ERASER: number;
  roomName(value: unknown): string | undefined;
  personName(value: unknown): string | undefined;
}>('public/limits.js');
const { RoomState } = await example<{
  RoomState: { new (): State; from(whole: unknown): State };
}>('public/room-state.js');
const { Rooms } = await example<{
  Rooms: new (directory: string) => { find(name: string): Room | undefined };
}>('rooms.mjs');
const { checkEntry, checkDraft, checkCursor } = await example<{
  checkEntry(auth: unknown): { room: string; person: Person } | undefined;
  checkDraft(draft: unknown): object | undefined;
  checkCursor(at: unknown): unknown;
}>('checks.mjs');
const { Budget } = await example<{
  Budget: new (perSecond: number, burst: number, nowMs: number) => { spend(nowMs: number): boolean };
}>('budget.mjs');
const { serveFiles } = await example<{ serveFiles(directory: URL): RequestListener }>('files.mjs');

const ada: Person = { id: 'adaadaadaa', name: 'Ada' };
const grace: Person = { id: 'gracegrace', name: 'Grace' };

let directory = '';
let room: Room;
const count = new Map<string, number>();

/** The next operation of a page load. */
function op(writer: string, rest: object): { id: string } {
  const n = (count.get(writer) ?? 0) + 1;
  count.set(writer, n);
  return { id: `${writer}.${n}`, ...rest };
}
const say = (text: string) => op('adawriter', { type: 'say', text });
const stroke = (key: string, points = [1, 2, 3, 4], writer = 'adawriter') =>
  op(writer, { type: 'stroke', stroke: key, ink: 1, width: 0, points });
const keys = (of: { view(): View } = room) => of.view().strokes.map((one) => one.stroke);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tautline-room-state-'));
  room = new Rooms(directory).find('test')!;
  count.clear();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a room', () => {
  it('takes what is said, with the name and the time that the server knows', () => {
    const { entry } = room.accept({ ...say('  Hello  '), name: 'Somebody else', at: 0 }, ada, 1234);
    expect(entry).toEqual({
      seq: 1,
      id: 'adaadaadaa.adawriter.1',
      by: ada.id,
      name: 'Ada',
      type: 'say',
      text: 'Hello',
      at: 1234,
    });
  });

  it('takes a repeated operation once, also after what it did was undone', () => {
    const drawn = stroke('adawriter.1');
    expect(room.accept(drawn, ada).entry).toBeDefined();
    expect(room.accept(drawn, ada)).toEqual({});
    expect(room.accept(op('adawriter', { type: 'undo', stroke: 'adawriter.1' }), ada).entry).toBeDefined();
    expect(room.accept(drawn, ada)).toEqual({});
    expect(room.view().strokes).toEqual([]);
  });

  it('keeps the operations of two people apart, though they give them the same ids', () => {
    const drawn = stroke('adawriter.1');
    expect(room.accept(drawn, ada).entry).toBeDefined();
    expect(room.accept(drawn, grace).entry).toBeDefined();
    expect(keys()).toEqual(['adaadaadaa.adawriter.1', 'gracegrace.adawriter.1']);
  });

  it('lets nobody undo what another has drawn', () => {
    room.accept(stroke('adawriter.1'), ada);
    room.accept(op('gracewriter', { type: 'undo', stroke: 'adawriter.1' }), grace);
    expect(keys()).toEqual(['adaadaadaa.adawriter.1']);
  });

  it('clears what the person had seen and drawn, and leaves what others drew meanwhile', () => {
    room.accept(stroke('gracewriter.1', [1, 1], 'gracewriter'), grace);
    room.accept(stroke('gracewriter.2', [1, 1], 'gracewriter'), grace);
    room.accept(stroke('adawriter.1'), ada);
    room.accept(op('adawriter', { type: 'clear', seen: 1 }), ada);
    expect(keys()).toEqual(['gracegrace.gracewriter.2']);
  });

  it('counts somebody with two windows as one', () => {
    room.people.set('one', ada);
    room.people.set('two', ada);
    room.people.set('three', grace);
    expect(room.here()).toEqual([ada, grace]);
  });

  const long = 'x'.repeat(LIMITS.textLength! + 1);
  const many = Array<number>(LIMITS.strokePoints! * 2 + 2).fill(1);
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'say'],
    ['no id', { type: 'say', text: 'a' }],
    ['an id without a count', { id: 'adawriter', type: 'say', text: 'a' }],
    ['a count of zero', { id: 'adawriter.0', type: 'say', text: 'a' }],
    ['a huge count', { id: 'adawriter.9999999999', type: 'say', text: 'a' }],
    ['a huge writer', { id: `${'a'.repeat(17)}.1`, type: 'say', text: 'a' }],
    ['no type', { id: 'adawriter.1' }],
    ['a type of every object', { id: 'adawriter.1', type: 'constructor' }],
    ['no text', { id: 'adawriter.1', type: 'say' }],
    ['an object as text', { id: 'adawriter.1', type: 'say', text: { length: 1 } }],
    ['empty text', { id: 'adawriter.1', type: 'say', text: ' \n ' }],
    ['too long a text', { id: 'adawriter.1', type: 'say', text: long }],
    ['a stroke without points', { ...stroke('adawriter.1'), points: [] }],
    ['half a point', { ...stroke('adawriter.1'), points: [1, 2, 3] }],
    ['too many points', { ...stroke('adawriter.1'), points: many }],
    ['a point beside the board', { ...stroke('adawriter.1'), points: [BOARD.width + 1, 0] }],
    ['a point above the board', { ...stroke('adawriter.1'), points: [0, -1] }],
    ['a point below the board', { ...stroke('adawriter.1'), points: [0, BOARD.height + 1] }],
    ['a fraction', { ...stroke('adawriter.1'), points: [0.5, 1] }],
    ['a point of text', { ...stroke('adawriter.1'), points: ['1', '1'] }],
    ['an unknown ink', { ...stroke('adawriter.1'), ink: INKS }],
    ['an ink that is no number', { ...stroke('adawriter.1'), ink: '1' }],
    ['an unknown width', { ...stroke('adawriter.1'), width: 3 }],
    ['a stroke without a key', { ...stroke('adawriter.1'), stroke: undefined }],
    ['an undo of nothing', { id: 'adawriter.1', type: 'undo' }],
    ['a clear that has seen NaN', { id: 'adawriter.1', type: 'clear', seen: Number.NaN }],
  ])('refuses %s', (_, received) => {
    expect(room.accept(received, ada)).toEqual({ refused: 'not a valid operation' });
    expect(room.view()).toEqual({ seq: 0, messages: [], strokes: [] });
  });

  it('passes on nothing but what it has checked', () => {
    const { entry } = room.accept({ ...stroke('adawriter.1'), seq: 99, extra: 'x'.repeat(1000) }, ada);
    expect(Object.keys(entry!).sort()).toEqual([
      'by',
      'id',
      'ink',
      'points',
      'seq',
      'stroke',
      'type',
      'width',
    ]);
    expect(entry!.seq).toBe(1);
  });
});

describe('a room’s state', () => {
  const entryOf = (seq: number, rest: object) => ({ seq, id: `a.writer.${seq}`, by: 'a', ...rest });
  const strokeOf = (seq: number, points: number) =>
    entryOf(seq, {
      type: 'stroke',
      stroke: `a.k.${seq}`,
      ink: ERASER,
      width: 1,
      points: Array(points * 2).fill(7),
    });

  it('drops the oldest messages beyond the bound', () => {
    const state = new RoomState();
    for (let seq = 1; seq <= LIMITS.messages! + 3; seq += 1) {
      state.apply(entryOf(seq, { type: 'say', name: 'A', text: `${seq}`, at: seq }));
    }
    const { messages } = state.view();
    expect(messages.length).toBe(LIMITS.messages);
    expect(messages[0]!.text).toBe('4');
  });

  it('drops the oldest strokes beyond the bound of strokes, and of points', () => {
    const byNumber = new RoomState();
    for (let seq = 1; seq <= LIMITS.strokes! + 2; seq += 1) byNumber.apply(strokeOf(seq, 1));
    expect(byNumber.view().strokes.length).toBe(LIMITS.strokes);
    expect(keys(byNumber)[0]).toBe('a.k.3');
    const byPoints = new RoomState();
    const full = LIMITS.points! / LIMITS.strokePoints!;
    for (let seq = 1; seq <= full + 1; seq += 1) byPoints.apply(strokeOf(seq, LIMITS.strokePoints!));
    expect(byPoints.points).toBe(LIMITS.points);
    expect(keys(byPoints)[0]).toBe('a.k.2');
  });

  it('forgets the count of the writer that has been silent for longest, and of no other', () => {
    const state = new RoomState();
    for (let i = 0; i <= LIMITS.writers!; i += 1) {
      state.apply({ seq: i + 1, id: `a.writer${i}.5`, by: 'a', type: 'undo', stroke: '' });
      state.apply({ seq: i + 1, id: 'a.steady.7', by: 'a', type: 'undo', stroke: '' });
    }
    expect(state.has('a.writer0.5')).toBe(false);
    expect(state.has('a.steady.7')).toBe(true);
    expect(state.has(`a.writer${LIMITS.writers}.5`)).toBe(true);
  });

  it('is the same after a way through JSON, with the counts', () => {
    const state = new RoomState();
    state.apply(strokeOf(1, 3));
    state.apply(entryOf(2, { type: 'say', name: 'A', text: 'hello', at: 1 }));
    const copy = RoomState.from(JSON.parse(JSON.stringify(state)));
    expect(copy.view()).toEqual(state.view());
    expect(copy.points).toBe(3);
    expect(copy.has('a.writer.2')).toBe(true);
    expect(copy.has('a.writer.3')).toBe(false);
  });
});

describe('the rooms on disk', () => {
  async function accept(into: Room, ...operations: unknown[]): Promise<void> {
    const entries = operations.map((operation) => into.accept(operation, ada).entry!);
    await into.save(entries);
  }
  const onlyFile = async (): Promise<string> => {
    const { readdir } = await import('node:fs/promises');
    const [name] = await readdir(directory);
    return join(directory, name!);
  };

  it('are there again after the server has ended, with what was done and what was undone', async () => {
    const first = stroke('adawriter.1');
    await accept(room, say('hello'), first, stroke('adawriter.2'), {
      id: 'adawriter.4',
      type: 'undo',
      stroke: 'adawriter.1',
    });
    const again = new Rooms(directory).find('test')!;
    expect(again.view()).toEqual(room.view());
    expect(keys(again)).toEqual(['adaadaadaa.adawriter.2']);
    expect(again.accept(first, ada)).toEqual({});
  });

  it('are whole though the server was killed in the middle of a line', async () => {
    await accept(room, say('hello'));
    const file = await onlyFile();
    await appendFile(file, '{"entry":{"seq":2,"id":"adaadaadaa.adawriter.2","ty');
    const again = new Rooms(directory).find('test')!;
    expect(again.view().messages.map(({ text }) => text)).toEqual(['hello']);
    await accept(again, say('more'));
    const third = new Rooms(directory).find('test')!;
    expect(third.view().messages.map(({ text }) => text)).toEqual(['hello', 'more']);
  });

  it('are read as empty where a file is of something else', async () => {
    await accept(room, say('hello'));
    await writeFile(await onlyFile(), 'what\n[1,2]\nnull\n"x"\n');
    expect(new Rooms(directory).find('test')!.view()).toEqual({ seq: 0, messages: [], strokes: [] });
  });

  it('do not grow without end: what was undone is written out of the file', async () => {
    const points = Array<number>(LIMITS.strokePoints! * 2).fill(3000);
    for (let i = 1; i <= 120; i += 1) {
      await accept(
        room,
        stroke(`adawriter.${i}`, points),
        op('adawriter', { type: 'undo', stroke: `adawriter.${i}` }),
      );
    }
    await accept(room, say('the end'));
    const file = await readFile(await onlyFile(), 'utf8');
    expect(file.length).toBeLessThan(600 * 1024);
    const again = new Rooms(directory).find('test')!;
    expect(again.view()).toEqual(room.view());
    expect(again.accept({ ...stroke('adawriter.1', points), id: 'adawriter.1' }, ada)).toEqual({});
  });

  it('are refused when too many are in use, and given when one is free', () => {
    const rooms = new Rooms(directory);
    const open: Room[] = [];
    for (let i = 0; i < 50; i += 1) {
      const one = rooms.find(`room-${i}`)!;
      one.people.set('socket', ada);
      open.push(one);
    }
    expect(rooms.find('one-more')).toBeUndefined();
    open[7]!.people.clear();
    expect(rooms.find('one-more')).toBeDefined();
  });

  it('are refused to the person for whom there is no place', () => {
    const rooms = new Rooms(directory);
    const full = rooms.find('full')!;
    for (let i = 0; i < LIMITS.people!; i += 1) full.people.set(`socket-${i}`, ada);
    expect(rooms.find('full')).toBeUndefined();
  });
});

describe('names', () => {
  it.each([
    ['lobby', 'lobby'],
    ['Lobby', 'lobby'],
    ['会议室', '会议室'],
    ['cafe\u0301', 'café'],
    ['room_2-b', 'room_2-b'],
    ['', undefined],
    ['-x', undefined],
    ['a b', undefined],
    ['..', undefined],
    ['a/b', undefined],
    ['<b>', undefined],
    ['x'.repeat(41), undefined],
    [7, undefined],
  ])('of rooms: %j is %j', (value, name) => {
    expect(roomName(value)).toBe(name);
  });

  it.each([
    ['Ada', 'Ada'],
    ['  Ada \n Lovelace ', 'Ada Lovelace'],
    ['\u202eadA', 'adA'],
    ['x'.repeat(30), 'x'.repeat(24)],
    ['𝒜'.repeat(30), '𝒜'.repeat(24)],
    [' \u0000 ', undefined],
    [null, undefined],
    [{}, undefined],
    ['x'.repeat(201), undefined],
  ])('of people: %j is %j', (value, name) => {
    expect(personName(value)).toBe(name);
  });
});

describe('the checks', () => {
  const key = 'k'.repeat(24);
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'room'],
    ['no key', { room: 'a', name: 'A' }],
    ['a short key', { room: 'a', name: 'A', key: 'short' }],
    ['a key that is a list', { room: 'a', name: 'A', key: [key] }],
    ['no room', { name: 'A', key }],
    ['no name', { room: 'a', key }],
  ])('let nobody in with %s', (_, auth) => {
    expect(checkEntry(auth)).toBeUndefined();
  });

  it('show a person by a name for their key, from which the key can’t be told', () => {
    const { person } = checkEntry({ room: 'a', name: 'A', key })!;
    expect(person.id).toMatch(/^[\w-]{10}$/);
    expect(person.id).not.toContain('kk');
    expect(checkEntry({ room: 'b', name: 'B', key })!.person.id).toBe(person.id);
  });

  const draft = { stroke: 'adawriter.1', ink: 0, width: 0, from: 0, points: [1, 1] };
  it.each([
    ['null', null],
    ['an odd beginning', { ...draft, from: 1 }],
    ['a beginning beyond the end', { ...draft, from: LIMITS.strokePoints! * 2 }],
    ['too many points', { ...draft, points: Array<number>(LIMITS.draftPoints! * 2 + 2).fill(1) }],
    ['no key', { ...draft, stroke: 'x' }],
    ['an unknown ink', { ...draft, ink: -2 }],
  ])('pass on no draft with %s', (_, received) => {
    expect(checkDraft(received)).toBeUndefined();
  });

  it('pass on a draft, and that one was given up', () => {
    expect(checkDraft({ ...draft, more: 1 })).toEqual(draft);
    expect(checkDraft({ ...draft, points: null })).toEqual({ stroke: 'adawriter.1', points: null });
  });

  it.each([
    [
      [1, 2],
      [1, 2],
    ],
    [null, null],
    [[1], undefined],
    [[1, 2, 3, 4], undefined],
    [['1', 2], undefined],
    [{ 0: 1, 1: 2, length: 2 }, undefined],
  ])('take a pointer at %j as %j', (at, taken) => {
    expect(checkCursor(at)).toEqual(taken);
  });

  it('give a budget that is spent and fills up again', () => {
    const budget = new Budget(10, 3, 0);
    expect([0, 0, 0, 0].map((at) => budget.spend(at))).toEqual([true, true, true, false]);
    expect(budget.spend(99)).toBe(false);
    expect(budget.spend(110)).toBe(true);
    // A clock that was set back gives nothing and takes nothing.
    expect(budget.spend(0)).toBe(false);
    expect(budget.spend(60_000)).toBe(true);
  });
});

describe('the files', () => {
  async function ask(path: string, headers = {}, method = 'GET'): Promise<IncomingMessage> {
    const server = createServer(serveFiles(new URL('../../examples/room/public/', import.meta.url)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const request = get({ host: '127.0.0.1', port, path, headers, method, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    server.close();
    return response;
  }

  it.each([
    ['/', 302, '/r/lobby'],
    ['/r/harbour', 200, undefined],
    ['/r/harbour?a=b', 200, undefined],
    ['/r/Harbour', 302, '/r/harbour'],
    ['/r/%E4%BC%9A%E8%AE%AE%E5%AE%A4', 200, undefined],
    ['/app.js', 200, undefined],
    ['/r/', 404, undefined],
    ['/r/%', 404, undefined],
    ['/r/a/b', 404, undefined],
    ['//', 404, undefined],
    ['/../server.mjs', 404, undefined],
    ['/%2e%2e/server.mjs', 404, undefined],
    ['/__proto__', 404, undefined],
    ['/server.mjs', 404, undefined],
  ])('answer %s with %d', async (path, status, location) => {
    const { statusCode, headers } = await ask(path);
    expect([statusCode, headers.location]).toEqual([status, location]);
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('are not sent again to who has them', async () => {
    const { headers } = await ask('/style.css');
    expect(headers['content-type']).toBe('text/css; charset=utf-8');
    expect((await ask('/style.css', { 'If-None-Match': headers.etag })).statusCode).toBe(304);
    expect((await ask('/app.js', {}, 'POST')).statusCode).toBe(405);
  });
});
