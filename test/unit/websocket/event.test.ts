import { describe, expect, it } from 'vitest';
import { CloseEvent, ErrorEvent, MessageEvent, ownEvents } from '../../../src/websocket/event.ts';

type Loose = new (...args: unknown[]) => Record<string, unknown>;

describe.each([
  ['ours', ownEvents.CloseEvent],
  ['the exported one', CloseEvent],
])('CloseEvent, %s', (_name, Class) => {
  it.each([
    [undefined, { code: 0, reason: '', wasClean: false, bubbles: false, cancelable: false }],
    [null, { code: 0, reason: '', wasClean: false }],
    [{}, { code: 0, reason: '', wasClean: false }],
    [
      { code: 4000, reason: 'x', wasClean: true, bubbles: true, cancelable: true },
      { code: 4000, reason: 'x', wasClean: true, bubbles: true, cancelable: true },
    ],
    [
      { code: 70_000, reason: '\ud800', wasClean: 1 },
      { code: 4464, reason: '\ufffd', wasClean: true },
    ],
    [
      { code: -1, reason: null },
      { code: 65_535, reason: 'null' },
    ],
    [{ code: Number.NaN }, { code: 0 }],
    [
      { code: undefined, reason: undefined },
      { code: 0, reason: '' },
    ],
  ])('made with %j', (init, expected) => {
    expect(new (Class as unknown as Loose)('close', init)).toMatchObject({ type: 'close', ...expected });
  });

  it('is an Event with enumerable members and a class string', () => {
    const event = new Class('close');
    expect(event).toBeInstanceOf(Event);
    expect(Object.prototype.toString.call(event)).toBe('[object CloseEvent]');
    expect(Class.name).toBe('CloseEvent');
    expect(Class.length).toBe(1);
    const members: string[] = [];
    for (const member in event) members.push(member);
    expect(members).toEqual(expect.arrayContaining(['wasClean', 'code', 'reason']));
  });

  it('asks for a type, and for an object as the second argument', () => {
    const Loose = Class as unknown as Loose;
    expect(() => new Loose()).toThrow(TypeError);
    expect(() => new Loose('close', 5)).toThrow(TypeError);
    expect(() => new Loose('close', { code: Symbol('s') })).toThrow(TypeError);
  });
});

describe.each([
  ['ours', ownEvents.ErrorEvent],
  ['the exported one', ErrorEvent],
])('ErrorEvent, %s', (_name, Class) => {
  it('has the members of its dictionary', () => {
    const error = new Error('cause');
    const event = new Class('error', { message: 'm', filename: 'f', lineno: -1, colno: 3, error });
    expect(event).toMatchObject({ message: 'm', filename: 'f', lineno: 4_294_967_295, colno: 3 });
    expect(event.error).toBe(error);
    expect(new Class('error')).toMatchObject({ message: '', filename: '', lineno: 0, colno: 0 });
    expect(Object.prototype.toString.call(event)).toBe('[object ErrorEvent]');
    expect(Class.length).toBe(1);
  });

  it('asks for a type, and for an object as the second argument', () => {
    const Loose = Class as unknown as Loose;
    expect(() => new Loose()).toThrow(TypeError);
    expect(() => new Loose('error', 5)).toThrow(TypeError);
  });
});

describe('MessageEvent', () => {
  it('is the one of the platform', () => {
    expect(MessageEvent).toBe((globalThis as { MessageEvent?: unknown }).MessageEvent);
    expect(new MessageEvent('message', { data: 'x', origin: 'ws://a' })).toMatchObject({
      data: 'x',
      origin: 'ws://a',
      lastEventId: '',
      source: null,
      ports: [],
    });
  });
});
