/**
 * What: finds out before sending whether the server would take a message of this size.
 * Must not know: where the limit comes from, or who sends.
 */
import { UsageError } from '../../base/errors.ts';
import type { TextCodec } from '../../base/port.ts';
import type { EngineData } from './events.ts';

/**
 * Why a message would not be taken; `undefined` when it would.
 *
 * Engine.IO protocol 4, "Handshake": `maxPayload` bounds a WebSocket message, and a request body, in bytes.
 * @param limitBytes 0 or absent: not known.
 * @param isTextOnly whether bytes travel as base64.
 */
export function refuse(
  data: EngineData,
  limitBytes: number | undefined,
  isTextOnly: boolean,
  codec: TextCodec,
): UsageError | undefined {
  if (!limitBytes) return;
  let size: number;
  if (typeof data === 'string') {
    // A UTF-16 unit is 3 bytes at most: nearly every text is judged without being measured.
    if (data.length * 3 < limitBytes) return;
    size = 1 + codec.utf8Length(data);
  } else {
    size = 'size' in data ? data.size : data.byteLength;
    if (isTextOnly) size = 1 + Math.ceil(size / 3) * 4;
  }
  if (size <= limitBytes) return;
  return new UsageError(
    `A message of ${size} bytes is above the server's limit of ${limitBytes}: send it in parts, or raise maxHttpBufferSize there`,
    { code: 'ENGINE_ERR_PAYLOAD_LIMIT', limit: { name: 'maxPayload', value: limitBytes } },
  );
}
