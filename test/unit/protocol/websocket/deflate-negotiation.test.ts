/** RFC 7692 sections 5 and 7.1: how permessage-deflate is offered, accepted and agreed on. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/base/errors.ts';
import {
  acceptDeflateOffer,
  type DeflateParameters,
  formatDeflateOffer,
  readDeflateAnswer,
} from '../../../../src/protocol/websocket/deflate-negotiation.ts';
import type { DeflateAgreement } from '../../../../src/protocol/websocket/permessage-deflate.ts';
import { parseExtensions } from '../../../../src/wire/websocket/extension-header.ts';

const full: DeflateAgreement = {
  ownWindowBits: 15,
  peerWindowBits: 15,
  ownContextTakeover: true,
  peerContextTakeover: true,
};

describe('a client offers', () => {
  it.each<{ wanted: DeflateParameters; header: string }>([
    { wanted: {}, header: 'permessage-deflate; client_max_window_bits' },
    { wanted: { clientMaxWindowBits: true }, header: 'permessage-deflate; client_max_window_bits' },
    { wanted: { clientMaxWindowBits: false }, header: 'permessage-deflate' },
    { wanted: { clientMaxWindowBits: 10 }, header: 'permessage-deflate; client_max_window_bits=10' },
    {
      wanted: {
        clientMaxWindowBits: 9,
        serverMaxWindowBits: 8,
        clientNoContextTakeover: true,
        serverNoContextTakeover: true,
      },
      header:
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=8; client_max_window_bits=9',
    },
    {
      wanted: { clientNoContextTakeover: false, serverNoContextTakeover: false },
      header: 'permessage-deflate; client_max_window_bits',
    },
  ])('$header', ({ wanted, header }) => {
    expect(formatDeflateOffer(wanted)).toBe(header);
  });

  it.each([0, 7, 16, 8.5, Number.NaN, -9])('RFC 7692 7.1.2: no window of %d bits', (bits) => {
    expect(() => formatDeflateOffer({ serverMaxWindowBits: bits })).toThrow(UsageError);
    expect(() => formatDeflateOffer({ clientMaxWindowBits: bits })).toThrow(UsageError);
  });
});

describe('a server accepts', () => {
  const accept = (offer: string, wanted: DeflateParameters = {}) =>
    acceptDeflateOffer(parseExtensions(offer)!, wanted);

  it.each<{
    rule: string;
    offer: string;
    wanted?: DeflateParameters;
    header: string;
    agreement?: Partial<DeflateAgreement>;
  }>([
    { rule: 'a plain offer', offer: 'permessage-deflate', header: 'permessage-deflate' },
    {
      rule: 'RFC 7692 7.1.2.2: a client that lets the server choose, without choosing',
      offer: 'permessage-deflate; client_max_window_bits',
      header: 'permessage-deflate',
    },
    {
      rule: 'RFC 7692 7.1.1.1: server_no_context_takeover, and says so',
      offer: 'permessage-deflate; server_no_context_takeover',
      header: 'permessage-deflate; server_no_context_takeover',
      agreement: { ownContextTakeover: false },
    },
    {
      rule: 'RFC 7692 7.1.1.1: server_no_context_takeover that nobody asked for',
      offer: 'permessage-deflate',
      wanted: { serverNoContextTakeover: true },
      header: 'permessage-deflate; server_no_context_takeover',
      agreement: { ownContextTakeover: false },
    },
    {
      rule: 'RFC 7692 7.1.1.2: the hint client_no_context_takeover, and says so',
      offer: 'permessage-deflate; client_no_context_takeover',
      header: 'permessage-deflate; client_no_context_takeover',
      agreement: { peerContextTakeover: false },
    },
    {
      rule: 'RFC 7692 7.1.1.2: client_no_context_takeover that nobody offered',
      offer: 'permessage-deflate',
      wanted: { clientNoContextTakeover: true },
      header: 'permessage-deflate; client_no_context_takeover',
      agreement: { peerContextTakeover: false },
    },
    {
      rule: 'the hint client_no_context_takeover without using it, where it is not wanted',
      offer: 'permessage-deflate; client_no_context_takeover',
      wanted: { clientNoContextTakeover: false },
      header: 'permessage-deflate',
    },
    {
      rule: 'RFC 7692 7.1.2.1: server_max_window_bits as asked for',
      offer: 'permessage-deflate; server_max_window_bits=10',
      header: 'permessage-deflate; server_max_window_bits=10',
      agreement: { ownWindowBits: 10 },
    },
    {
      rule: 'RFC 7692 7.1.2.1: server_max_window_bits smaller than asked for',
      offer: 'permessage-deflate; server_max_window_bits=12',
      wanted: { serverMaxWindowBits: 9 },
      header: 'permessage-deflate; server_max_window_bits=9',
      agreement: { ownWindowBits: 9 },
    },
    {
      rule: 'RFC 7692 7.1.2.1: server_max_window_bits smaller than its own',
      offer: 'permessage-deflate; server_max_window_bits=8',
      wanted: { serverMaxWindowBits: 12 },
      header: 'permessage-deflate; server_max_window_bits=8',
      agreement: { ownWindowBits: 8 },
    },
    {
      rule: 'RFC 7692 7.1.2.1: server_max_window_bits that nobody asked for',
      offer: 'permessage-deflate',
      wanted: { serverMaxWindowBits: 11 },
      header: 'permessage-deflate; server_max_window_bits=11',
      agreement: { ownWindowBits: 11 },
    },
    {
      rule: 'RFC 7692 7.1.2.2: client_max_window_bits, and chooses',
      offer: 'permessage-deflate; client_max_window_bits',
      wanted: { clientMaxWindowBits: 8 },
      header: 'permessage-deflate; client_max_window_bits=8',
      agreement: { peerWindowBits: 8 },
    },
    {
      rule: 'RFC 7692 7.1.2.2: client_max_window_bits with a value, and says so',
      offer: 'permessage-deflate; client_max_window_bits=10',
      header: 'permessage-deflate; client_max_window_bits=10',
      agreement: { peerWindowBits: 10 },
    },
    {
      rule: 'RFC 7692 7.1.2.2: client_max_window_bits with a value, and lowers it',
      offer: 'permessage-deflate; client_max_window_bits=10',
      wanted: { clientMaxWindowBits: 9 },
      header: 'permessage-deflate; client_max_window_bits=9',
      agreement: { peerWindowBits: 9 },
    },
    {
      rule: 'RFC 7692 7.1.2.2: client_max_window_bits with a value, and does not raise it',
      offer: 'permessage-deflate; client_max_window_bits=10',
      wanted: { clientMaxWindowBits: 14 },
      header: 'permessage-deflate; client_max_window_bits=10',
      agreement: { peerWindowBits: 10 },
    },
    {
      rule: 'all four at once, in the order of the RFC',
      offer:
        'permessage-deflate; client_max_window_bits; server_max_window_bits=13; client_no_context_takeover; ' +
        'server_no_context_takeover',
      wanted: { clientMaxWindowBits: 12 },
      header:
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=13; client_max_window_bits=12',
      agreement: {
        ownContextTakeover: false,
        peerContextTakeover: false,
        ownWindowBits: 13,
        peerWindowBits: 12,
      },
    },
    {
      rule: 'RFC 7692 5.1: the first offer of several that it can accept',
      offer: 'permessage-deflate; server_max_window_bits=10, permessage-deflate',
      header: 'permessage-deflate; server_max_window_bits=10',
      agreement: { ownWindowBits: 10 },
    },
    {
      rule: 'RFC 7692 7.1: the next alternative when one is invalid',
      offer:
        'permessage-deflate; server_max_window_bits=7, foo; a=b, permessage-deflate; client_max_window_bits',
      wanted: { clientMaxWindowBits: 11 },
      header: 'permessage-deflate; client_max_window_bits=11',
      agreement: { peerWindowBits: 11 },
    },
    {
      rule: 'RFC 7692 7.1.2.2: the alternative that lets it choose the window',
      offer: 'permessage-deflate, permessage-deflate; client_max_window_bits',
      wanted: { clientMaxWindowBits: 11 },
      header: 'permessage-deflate; client_max_window_bits=11',
      agreement: { peerWindowBits: 11 },
    },
    {
      rule: 'RFC 6455 9.1: a quoted value',
      offer: 'permessage-deflate; server_max_window_bits="10"',
      header: 'permessage-deflate; server_max_window_bits=10',
      agreement: { ownWindowBits: 10 },
    },
  ])('$rule', ({ offer, wanted, header, agreement }) => {
    expect(accept(offer, wanted)).toEqual({ header, agreement: { ...full, ...agreement } });
  });

  it.each([
    'permessage-deflate; unknown',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_no_context_takeover=true',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; server_max_window_bits=1e1',
    'permessage-deflate; server_max_window_bits=0x9',
    'permessage-deflate; server_max_window_bits=-9',
    'permessage-deflate; client_max_window_bits=99999999999999999999',
    'permessage-deflate; client_max_window_bits=foo',
    'permessage-deflate; client_max_window_bits; client_max_window_bits',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; __proto__',
    'x-webkit-deflate-frame',
    'Permessage-Deflate-',
  ])('RFC 7692 7.1: declines %s and goes without', (offer) => {
    expect(accept(offer)).toBeNull();
  });

  it('declines what it was told not to accept', () => {
    expect(
      accept('permessage-deflate; server_no_context_takeover', { serverNoContextTakeover: false }),
    ).toBeNull();
    expect(accept('permessage-deflate', { clientMaxWindowBits: 14 })).toBeNull();
    expect(accept('permessage-deflate', { clientMaxWindowBits: 15 })).not.toBeNull();
  });
});

describe('a client reads the answer', () => {
  const read = (answer: string, wanted: DeflateParameters = {}) =>
    readDeflateAnswer(parseExtensions(answer)![0]!, wanted);

  it.each<{ answer: string; wanted?: DeflateParameters; agreement?: Partial<DeflateAgreement> }>([
    { answer: 'permessage-deflate' },
    {
      answer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
      agreement: { ownContextTakeover: false, peerContextTakeover: false },
    },
    {
      answer: 'permessage-deflate; server_max_window_bits=9; client_max_window_bits=10',
      agreement: { ownWindowBits: 10, peerWindowBits: 9 },
    },
    {
      answer: 'permessage-deflate; server_max_window_bits=8',
      wanted: { serverMaxWindowBits: 10 },
      agreement: { peerWindowBits: 8 },
    },
    {
      answer: 'permessage-deflate',
      wanted: { clientMaxWindowBits: 9, clientNoContextTakeover: true },
      agreement: { ownWindowBits: 9, ownContextTakeover: false },
    },
    {
      answer: 'permessage-deflate',
      wanted: { serverMaxWindowBits: 10, serverNoContextTakeover: true },
    },
  ])('$answer', ({ answer, wanted, agreement }) => {
    expect(read(answer, wanted)).toEqual({ ...full, ...agreement });
  });

  it.each<{ rule: string; answer: string; wanted?: DeflateParameters }>([
    { rule: '7.1: an unknown parameter', answer: 'permessage-deflate; foo' },
    {
      rule: '7.1: a parameter twice',
      answer: 'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    },
    { rule: '7.1: a value where there is none', answer: 'permessage-deflate; client_no_context_takeover=1' },
    {
      rule: '7.1.2.2: client_max_window_bits without a value',
      answer: 'permessage-deflate; client_max_window_bits',
    },
    {
      rule: '7.1.2.1: a window of 16 bits (CVE-2026-2229, undici)',
      answer: 'permessage-deflate; server_max_window_bits=16',
    },
    {
      rule: '7.1.2.1: a window of 1000 bits (CVE-2026-2229, undici)',
      answer: 'permessage-deflate; server_max_window_bits=1000',
    },
    { rule: '7.1.2.1: a window of 0 bits', answer: 'permessage-deflate; server_max_window_bits=0' },
    {
      rule: '7.1.2.1: a larger window than offered',
      answer: 'permessage-deflate; server_max_window_bits=11',
      wanted: { serverMaxWindowBits: 10 },
    },
    {
      rule: '7.1.2.2: a window for the client that did not let the server choose',
      answer: 'permessage-deflate; client_max_window_bits=10',
      wanted: { clientMaxWindowBits: false },
    },
    {
      rule: '7.1.2.2: a larger window for the client than offered',
      answer: 'permessage-deflate; client_max_window_bits=12',
      wanted: { clientMaxWindowBits: 10 },
    },
    {
      rule: '7.1.1.2: what the client was told not to do',
      answer: 'permessage-deflate; client_no_context_takeover',
      wanted: { clientNoContextTakeover: false },
    },
  ])('RFC 7692 $rule fails the handshake', ({ answer, wanted }) => {
    expect(read(answer, wanted)).toBeNull();
  });

  it('every answer of the server is to the client’s offer, and both see the same', () => {
    const bits = [undefined, 8, 9, 12, 15];
    const flags = [undefined, true, false];
    let pairs = 0;
    for (const clientMaxWindowBits of [...bits, true, false]) {
      for (const serverMaxWindowBits of bits) {
        for (const serverNoContextTakeover of flags) {
          for (const clientNoContextTakeover of flags) {
            const client = {
              clientMaxWindowBits,
              serverMaxWindowBits,
              serverNoContextTakeover,
              clientNoContextTakeover,
            };
            const offer = parseExtensions(formatDeflateOffer(client))!;
            for (const server of [
              {},
              { clientMaxWindowBits: 10 },
              { serverMaxWindowBits: 10 },
              { serverNoContextTakeover: true },
            ]) {
              const answer = acceptDeflateOffer(offer, server);
              if (answer === null) continue;
              const seen = readDeflateAnswer(parseExtensions(answer.header)![0]!, client);
              expect(seen, `${JSON.stringify(client)} ${answer.header}`).not.toBeNull();
              // Each side's inflater is at least as large as the other's window.
              expect(seen!.peerWindowBits).toBeGreaterThanOrEqual(answer.agreement.ownWindowBits);
              expect(answer.agreement.peerWindowBits).toBeGreaterThanOrEqual(seen!.ownWindowBits);
              // Whoever keeps its window is listened to by someone who keeps it too.
              expect(seen!.peerContextTakeover).toBe(answer.agreement.ownContextTakeover);
              expect(seen!.ownContextTakeover && !answer.agreement.peerContextTakeover).toBe(false);
              pairs++;
            }
          }
        }
      }
    }
    expect(pairs).toBeGreaterThan(900);
  });
});
