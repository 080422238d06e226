import { describe, expect, it } from 'vitest';
import { Emitter, type NoEvents } from '../../../src/base/emitter.ts';
import type { DefaultEventsMap } from '../../../src/base/typed-events.ts';

class Open extends Emitter<DefaultEventsMap, DefaultEventsMap, NoEvents> {}

describe('Emitter', () => {
  it('calls listeners in the order in which they were added, with all arguments', () => {
    const emitter = new Open();
    const calls: unknown[] = [];
    emitter.on('x', (...args) => calls.push(['first', ...args]));
    emitter.on('x', (...args) => calls.push(['second', ...args]));
    expect(emitter.emit('x', 1, 'two')).toBe(emitter);
    expect(calls).toEqual([
      ['first', 1, 'two'],
      ['second', 1, 'two'],
    ]);
  });

  it('calls a listener of once() once, also when it emits the same event itself', () => {
    const emitter = new Open();
    let calls = 0;
    emitter.once('x', () => {
      calls++;
      emitter.emit('x');
    });
    emitter.emit('x');
    expect(calls).toBe(1);
    expect(emitter.hasListeners('x')).toBe(false);
  });

  it('calls those that were there when the event was emitted, whatever a listener removes or adds', () => {
    const emitter = new Open();
    const calls: string[] = [];
    const second = () => calls.push('second');
    emitter.on('x', () => {
      calls.push('first');
      emitter.off('x', second);
      emitter.on('x', () => calls.push('third'));
    });
    emitter.on('x', second);
    emitter.emit('x');
    expect(calls).toEqual(['first', 'second']);
    emitter.emit('x');
    expect(calls).toEqual(['first', 'second', 'first', 'third']);
  });

  const removals = ['off', 'removeListener', 'removeEventListener'] as const;
  it.each(removals)('%s removes one listener, all of an event, or all', (name) => {
    const emitter = new Open();
    const listener = () => {};
    emitter.on('x', listener).on('x', listener).once('x', listener).on('y', listener);
    emitter[name]('x', listener);
    expect(emitter.listeners('x')).toHaveLength(2);
    emitter[name]('x', listener);
    // The one that is left came from once() and is found by the function that was given to it.
    expect(emitter.listeners('x')[0]).toHaveProperty('fn', listener);
    emitter[name]('x', listener);
    expect(emitter.hasListeners('x')).toBe(false);
    emitter[name]('x', listener);
    emitter[name]('y');
    expect(emitter.hasListeners('y')).toBe(false);
    emitter.on('x', listener).on('y', listener)[name]();
    expect([emitter.hasListeners('x'), emitter.hasListeners('y')]).toEqual([false, false]);
  });

  it('does not take a listener that was never added for another one', () => {
    const emitter = new Open();
    emitter.on('x', () => {});
    emitter.off('x', () => {});
    expect(emitter.listeners('x')).toHaveLength(1);
    emitter.removeAllListeners('x');
    expect(emitter.listeners('x')).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s as a name like any other',
    (name) => {
      const emitter = new Open();
      expect(emitter.hasListeners(name)).toBe(false);
      emitter.emit(name, 1);
      const calls: unknown[] = [];
      emitter.addEventListener(name, (value) => calls.push(value));
      emitter.emit(name, 2);
      expect(calls).toEqual([2]);
    },
  );

  it('lets an exception of a listener through to the caller', () => {
    const emitter = new Open();
    emitter.on('x', () => {
      throw new Error('from the listener');
    });
    expect(() => emitter.emit('x')).toThrow('from the listener');
  });
});
