/**
 * What: reads the body of a request into memory, up to a limit that holds while reading.
 * Must not know: what the body means, and how the request is answered.
 */
import type { IncomingMessage } from 'node:http';

/** `tooLarge`: above the limit, nothing more is read. `aborted`: the client went away before the end. */
export type BodyOutcome = 'complete' | 'tooLarge' | 'aborted';

const NOTHING = new Uint8Array(0);

/**
 * Calls back exactly once; the bytes are empty unless the outcome is `complete`.
 * What is left of a body that is too large is for Node to discard once the answer is out: were the connection cut,
 * the client would see a reset in place of the answer.
 * @returns gives up: nothing is kept, and nobody is called back.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  callback: (outcome: BodyOutcome, body: Uint8Array) => void,
): () => void {
  // A body that says beforehand that it is too large is not even begun.
  if (Number(request.headers['content-length']) > limitBytes) {
    callback('tooLarge', NOTHING);
    return ignore;
  }
  // One growing array, not a list of chunks: a body of a million one-byte chunks costs no more than its bytes.
  let body: Uint8Array = NOTHING;
  let length = 0;
  const stop = (): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    body = NOTHING;
  };
  const finish = (outcome: BodyOutcome): void => {
    const whole = outcome === 'complete' ? body.subarray(0, length) : NOTHING;
    stop();
    callback(outcome, whole);
  };
  const onData = (chunk: Uint8Array): void => {
    const end = length + chunk.length;
    if (end > limitBytes) {
      finish('tooLarge');
      return;
    }
    if (length === 0) {
      body = chunk;
    } else {
      if (end > body.length) body = grow(body, length, end, limitBytes);
      body.set(chunk, length);
    }
    length = end;
  };
  const onEnd = (): void => finish('complete');
  const onClose = (): void => finish('aborted');
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', ignore);
  return stop;
}

// `close` follows every `error` of a request, and is what is acted on.
function ignore(): void {}

/** Room for `needed` bytes at least, doubled so that a body is copied a constant number of times. */
function grow(body: Uint8Array, length: number, needed: number, limitBytes: number): Uint8Array {
  const larger = new Uint8Array(Math.min(Math.max(needed, length * 2, 16_384), limitBytes));
  larger.set(body.subarray(0, length));
  return larger;
}
