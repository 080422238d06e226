import { describe, expect, it } from 'vitest';
import { portableByteCodec } from '../../../../src/base/portable-byte-codec.ts';
import {
  CloseCode,
  closeReasonLimitBytes,
  decodeCloseCode,
  encodeCloseBody,
  isLegalCloseCode,
} from '../../../../src/wire/websocket/close-code.ts';

describe('a close code', () => {
  it('RFC 6455 7.4: is legal from 1000 to 1003, 1007 to 1014 and 3000 to 4999', () => {
    for (let code = 0; code <= 66_000; code++) {
      const isLegal =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
      if (isLegalCloseCode(code) !== isLegal) expect.fail(`${code}`);
    }
    for (const code of [Number.NaN, 1000.5, 3000.1, -1000, Number.POSITIVE_INFINITY]) {
      expect(isLegalCloseCode(code)).toBe(false);
    }
  });

  it('RFC 6455 7.4.1: of those that never go over the wire none is legal', () => {
    for (const code of [CloseCode.noStatus, CloseCode.abnormal, CloseCode.tlsFailed]) {
      expect(isLegalCloseCode(code)).toBe(false);
    }
  });

  it('RFC 6455 5.5.1: stands before the reason in two bytes, the higher first', () => {
    const body = encodeCloseBody(1000, 'ü', portableByteCodec);
    expect(Array.from(body)).toEqual([0x03, 0xe8, 0xc3, 0xbc]);
    expect(encodeCloseBody(4999, Uint8Array.of(1), portableByteCodec)).toEqual(Uint8Array.of(0x13, 0x87, 1));
    expect(decodeCloseCode(body)).toBe(1000);
    expect(decodeCloseCode(new Uint8Array(0))).toBe(1005);
    expect(closeReasonLimitBytes).toBe(123);
  });
});
