import { describe, expect, it } from 'vitest';
import { EventHandlers } from '../../../src/base/event-handler.ts';

function setUp() {
  const target = new EventTarget();
  const handlers = new EventHandlers(target);
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(name);
  const fire = (event = new Event('x')) => {
    calls.length = 0;
    target.dispatchEvent(event);
    return calls.join(' ');
  };
  return { target, handlers, calls, note, fire };
}

describe('an event handler attribute', () => {
  it('takes its place among the listeners when it is first set, and keeps it when it is replaced', () => {
    const { target, handlers, note, fire } = setUp();
    target.addEventListener('x', note('before'));
    handlers.set('x', note('first'));
    target.addEventListener('x', note('after'));
    handlers.set('x', note('second'));
    expect(fire()).toBe('before second after');
  });

  it('gives its place up by null and gets a new one behind the others', () => {
    const { target, handlers, note, fire } = setUp();
    handlers.set('x', note('handler'));
    target.addEventListener('x', note('listener'));
    handlers.set('x', null);
    expect(fire()).toBe('listener');
    handlers.set('x', note('again'));
    expect(fire()).toBe('listener again');
  });

  it('is its own listener: the same function may be added as well, and removing that leaves it', () => {
    const { target, handlers, note, fire } = setUp();
    const both = note('both');
    handlers.set('x', both);
    target.addEventListener('x', both);
    expect(fire()).toBe('both both');
    target.removeEventListener('x', both);
    expect(fire()).toBe('both');
  });

  it('gives back what it was set to', () => {
    const { handlers, note } = setUp();
    expect(handlers.get('x')).toBeNull();
    const handler = note('x');
    handlers.set('x', handler);
    expect(handlers.get('x')).toBe(handler);
    handlers.set('x', undefined);
    expect(handlers.get('x')).toBeNull();
  });

  it.each([5, 'text', true, Symbol('s'), 1n, undefined])('takes %s as null', (value) => {
    const { handlers, note } = setUp();
    handlers.set('x', note('x'));
    handlers.set('x', value);
    expect(handlers.get('x')).toBeNull();
  });

  it('keeps an object that cannot be called and does not call its handleEvent', () => {
    const { handlers, note, fire } = setUp();
    const object = { handleEvent: note('never') };
    handlers.set('x', object);
    expect(handlers.get('x')).toBe(object);
    expect(fire()).toBe('');
  });

  it('calls with the target as this and the event as the only argument', () => {
    const { target, handlers, fire } = setUp();
    let seen: unknown[] = [];
    handlers.set('x', function (this: unknown, ...args: unknown[]) {
      seen = [this, ...args];
    });
    const event = new Event('x');
    fire(event);
    expect(seen[0]).toBe(target);
    expect(seen[1]).toBe(event);
    expect(seen).toHaveLength(2);
  });

  it.each([
    [false, true],
    [true, false],
    [undefined, false],
    [null, false],
    [0, false],
  ])('by returning %s makes defaultPrevented %s', (result, expected) => {
    const { handlers, fire } = setUp();
    handlers.set('x', () => result);
    const event = new Event('x', { cancelable: true });
    fire(event);
    expect(event.defaultPrevented).toBe(expected);
  });
});
