import { describe, expect, it } from 'vitest';
import { createWebSocketError, WebSocketError } from '../../../src/websocket/websocket-error.ts';

type Loose = new (...args: unknown[]) => WebSocketError;
const Loose = WebSocketError as unknown as Loose;

function nameOfThrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof DOMException ? error.name : (error as Error).constructor.name;
  }
  return 'nothing thrown';
}

describe('WebSocketError', () => {
  it.each([
    [[], { message: '', closeCode: null, reason: '' }],
    [[undefined, null], { message: '', closeCode: null, reason: '' }],
    [[null], { message: 'null' }],
    [['m'], { message: 'm', closeCode: null, reason: '' }],
    [['m', { closeCode: 3000 }], { closeCode: 3000, reason: '' }],
    [['m', { closeCode: '4999.4', reason: 'r' }], { closeCode: 4999, reason: 'r' }],
    [['m', { reason: 'r' }], { closeCode: 1000, reason: 'r' }],
    [['m', { reason: '' }], { closeCode: null, reason: '' }],
    [['m', { closeCode: undefined, reason: undefined }], { closeCode: null, reason: '' }],
    [['m', { closeCode: 1000, reason: '\ud800' }], { closeCode: 1000, reason: '\ufffd' }],
  ])('made with %j', (args, expected) => {
    expect(new Loose(...args)).toMatchObject({ name: 'WebSocketError', code: 0, ...expected });
  });

  it.each([
    [['m', { closeCode: 1001 }], 'InvalidAccessError'],
    [['m', { closeCode: null }], 'InvalidAccessError'],
    [['m', { closeCode: 1006, reason: 'x'.repeat(124) }], 'InvalidAccessError'],
    [['m', { reason: 'x'.repeat(124) }], 'SyntaxError'],
    [['m', 5], 'TypeError'],
    [[Symbol('s')], 'TypeError'],
  ])('case %#: refuses what cannot be sent', (args, name) => {
    expect(nameOfThrown(() => new Loose(...args))).toBe(name);
  });

  it('is a DOMException and an Error, with the shape of the draft', () => {
    const error = new WebSocketError('m');
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('WebSocketError: m');
    expect(Object.prototype.toString.call(error)).toBe('[object WebSocketError]');
    expect(WebSocketError.length).toBe(0);
    expect(Object.keys(WebSocketError.prototype).sort()).toEqual(['closeCode', 'reason']);
    expect(() => WebSocketError.prototype.closeCode).toThrow(TypeError);
  });

  it('may have any code and a cause when the WebSocket makes it', () => {
    const cause = new Error('ECONNRESET');
    const error = createWebSocketError('m', 1006, '', cause);
    expect(error).toMatchObject({ message: 'm', closeCode: 1006, reason: '' });
    expect(error.cause).toBe(cause);
    expect('cause' in createWebSocketError('m', 1006, '', null)).toBe(false);
  });
});
