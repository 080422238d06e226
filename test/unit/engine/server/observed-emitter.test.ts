import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ObservedEmitter } from '../../../../src/engine/server/observed-emitter.ts';

class Thing extends ObservedEmitter<{ hello: [name: string] }> {}

describe('an emitter that knows whether anybody listens', () => {
  it('is an EventEmitter with no table of listeners until the first one', () => {
    const thing = new Thing();
    expect(thing).toBeInstanceOf(EventEmitter);
    expect(thing.isObserved).toBe(false);
    expect(thing.emit('hello', 'nobody')).toBe(false);
    expect(thing.listenerCount('hello')).toBe(0);
    expect(thing.eventNames()).toEqual([]);
    expect(thing.off('hello', () => {})).toBe(thing);
    expect(thing.removeAllListeners()).toBe(thing);
    expect((thing as unknown as { _events?: unknown })._events).toBeUndefined();
    expect(thing.setMaxListeners(20).getMaxListeners()).toBe(20);
  });

  it.each(['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const)(
    'hears %s',
    (method) => {
      const thing = new Thing();
      const heard: string[] = [];
      (thing as EventEmitter)[method]('hello', (name: string) => heard.push(name));
      expect(thing.isObserved).toBe(true);
      expect(thing.emit('hello', 'you')).toBe(true);
      expect(heard).toEqual(['you']);
    },
  );

  it('works with once() of node:events, and throws errors that nobody hears', async () => {
    const thing = new Thing();
    const heard = once(thing, 'hello');
    thing.emit('hello', 'you');
    expect(await heard).toEqual(['you']);
    expect(() => new Thing().emit('error', new Error('unheard'))).toThrow('unheard');
  });
});
