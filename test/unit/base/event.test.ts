import { describe, expect, it } from 'vitest';
import { CloseEvent, ErrorEvent, MessageEvent } from '../../../src/base/event.ts';

type Loose = new (...args: unknown[]) => Record<string, unknown>;

describe('CloseEvent', () => {
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
    expect(new (CloseEvent as unknown as Loose)('close', init)).toMatchObject({ type: 'close', ...expected });
  });

  it('is an Event with enumerable members and a class string', () => {
    const event = new CloseEvent('close');
    expect(event).toBeInstanceOf(Event);
    expect(Object.prototype.toString.call(event)).toBe('[object CloseEvent]');
    expect(CloseEvent.name).toBe('CloseEvent');
    expect(CloseEvent.length).toBe(1);
    const members: string[] = [];
    for (const member in event) members.push(member);
    expect(members).toEqual(expect.arrayContaining(['wasClean', 'code', 'reason']));
  });

  it('asks for a type, and for an object as the second argument', () => {
    const Loose = CloseEvent as unknown as Loose;
    expect(() => new Loose()).toThrow(TypeError);
    expect(() => new Loose('close', 5)).toThrow(TypeError);
    expect(() => new Loose('close', { code: Symbol('s') })).toThrow(TypeError);
  });
});

describe('ErrorEvent', () => {
  it('has the members of its dictionary', () => {
    const error = new Error('cause');
    const event = new ErrorEvent('error', { message: 'm', filename: 'f', lineno: -1, colno: 3, error });
    expect(event).toMatchObject({ message: 'm', filename: 'f', lineno: 4_294_967_295, colno: 3 });
    expect(event.error).toBe(error);
    expect(new ErrorEvent('error')).toMatchObject({ message: '', filename: '', lineno: 0, colno: 0 });
    expect(Object.prototype.toString.call(event)).toBe('[object ErrorEvent]');
    expect(ErrorEvent.length).toBe(1);
  });

  it('asks for a type, and for an object as the second argument', () => {
    const Loose = ErrorEvent as unknown as Loose;
    expect(() => new Loose()).toThrow(TypeError);
    expect(() => new Loose('error', 5)).toThrow(TypeError);
  });
});

describe('MessageEvent', () => {
  const Loose = MessageEvent as unknown as Loose;
  const defaults = { data: null, origin: '', lastEventId: '', source: null, ports: [], cancelable: false };

  it.each([
    [undefined, defaults],
    [null, defaults],
    [{ data: undefined, origin: undefined, ports: undefined, source: undefined }, defaults],
    [
      { data: 'x', origin: '\ud800', lastEventId: 5, source: 7, ports: new Set([1]), cancelable: true },
      { data: 'x', origin: '\ufffd', lastEventId: '5', source: 7, ports: [1], cancelable: true },
    ],
  ])('case %#: has the members of its dictionary', (init, expected) => {
    expect(new Loose('message', init)).toMatchObject(expected);
  });

  it('is an Event with enumerable members and a class string', () => {
    const event = new MessageEvent('message', { data: 'x' });
    expect(event).toBeInstanceOf(Event);
    expect(Object.prototype.toString.call(event)).toBe('[object MessageEvent]');
    expect(Object.keys(MessageEvent.prototype).sort()).toEqual([
      'data',
      'lastEventId',
      'origin',
      'ports',
      'source',
    ]);
    expect(Object.isFrozen(event.ports)).toBe(true);
    expect([MessageEvent.name, MessageEvent.length]).toEqual(['MessageEvent', 1]);
  });

  it('asks for a type, an object as the second argument, and a sequence of ports', () => {
    expect(() => new Loose()).toThrow(TypeError);
    expect(() => new Loose('message', 5)).toThrow(TypeError);
    expect(() => new Loose('message', { ports: {} })).toThrow(TypeError);
  });
});
