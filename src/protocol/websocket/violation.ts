/**
 * What: the errors of a peer that breaks the WebSocket protocol or a limit, with code, text and close code.
 * Must not know: when they occur; the connection decides.
 */
import { PeerError } from '../../base/errors.ts';
import { CloseCode } from '../../wire/websocket/close-code.ts';

type Limit = { readonly name: string; readonly value: number };

function invalidFrame(code: string, what: string, closeCode: number = CloseCode.protocolError): PeerError {
  return new PeerError(`Invalid WebSocket frame: ${what}`, { code, closeCode });
}

// The codes and texts are those of ws, on which programs match (see the table in api-ws, "Protocol errors").

export function unexpectedRsv23(): PeerError {
  return invalidFrame('WS_ERR_UNEXPECTED_RSV_2_3', 'RSV2 and RSV3 must be clear');
}

export function unexpectedRsv1(): PeerError {
  return invalidFrame('WS_ERR_UNEXPECTED_RSV_1', 'RSV1 must be clear');
}

export function invalidOpcode(opcode: number): PeerError {
  return invalidFrame('WS_ERR_INVALID_OPCODE', `invalid opcode ${opcode}`);
}

export function expectedFin(): PeerError {
  return invalidFrame('WS_ERR_EXPECTED_FIN', 'FIN must be set');
}

export function expectedMask(): PeerError {
  return invalidFrame('WS_ERR_EXPECTED_MASK', 'MASK must be set');
}

export function unexpectedMask(): PeerError {
  return invalidFrame('WS_ERR_UNEXPECTED_MASK', 'MASK must be clear');
}

export function invalidControlLength(length: number): PeerError {
  return invalidFrame('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', `invalid payload length ${length}`);
}

export function lengthNotShortest(length: number): PeerError {
  return invalidFrame('WS_ERR_LENGTH_NOT_SHORTEST', `payload length ${length} must be in its shortest form`);
}

export function invalidCloseCode(code: number): PeerError {
  return invalidFrame('WS_ERR_INVALID_CLOSE_CODE', `invalid status code ${code}`);
}

export function invalidUtf8(): PeerError {
  return invalidFrame('WS_ERR_INVALID_UTF8', 'invalid UTF-8 sequence', CloseCode.invalidData);
}

export function lengthNotExact(): PeerError {
  return new PeerError('Unsupported WebSocket frame: payload length > 2^53 - 1', {
    code: 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    closeCode: CloseCode.tooBig,
    limit: { name: 'Number.MAX_SAFE_INTEGER', value: Number.MAX_SAFE_INTEGER },
  });
}

export function payloadTooBig(limit: Limit): PeerError {
  return new PeerError('Max payload size exceeded', {
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    closeCode: CloseCode.tooBig,
    limit,
  });
}

export function tooManyParts(what: 'message fragments' | 'buffered chunks', limit: Limit): PeerError {
  return new PeerError(`Too many ${what}`, {
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    closeCode: CloseCode.policyViolation,
    limit,
  });
}

export function memoryExhausted(limitBytes: number): PeerError {
  return new PeerError('Memory budget of the connection exceeded', {
    code: 'WS_ERR_MEMORY_BUDGET_EXCEEDED',
    closeCode: CloseCode.tooBig,
    limit: { name: 'memoryBudgetBytes', value: limitBytes },
  });
}

/** @param cause what the inflater threw; its code (`Z_DATA_ERROR`) and text are kept. */
export function inflateFailed(cause: unknown): PeerError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return new PeerError(typeof message === 'string' ? message : 'invalid compressed data', {
    code: typeof code === 'string' ? code : 'Z_DATA_ERROR',
    closeCode: CloseCode.invalidData,
    cause,
  });
}
