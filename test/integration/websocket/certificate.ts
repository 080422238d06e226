/**
 * What: makes a certificate authority and certificates signed by it, for tests of TLS.
 * Must not know: TLS; it writes X.509 (RFC 5280) in DER.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const set = (...parts: Uint8Array[]) => der(0x31, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const yes = der(0x01, Buffer.from([0xff]));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const commonName = (name: string) => sequence(set(sequence(oid('550403'), utf8(name))));
const generalizedTime = (year: number) => der(0x18, Buffer.from(`${year}0101000000Z`));
const extension = (id: string, value: Uint8Array) => sequence(oid(id), yes, der(0x04, value));

/** A key and its certificate, in PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

function issue(
  name: string,
  publicKey: KeyObject,
  extensions: Uint8Array[],
  issuer: string,
  by: KeyObject,
): string {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(generalizedTime(2020), generalizedTime(2120)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, by));
  const lines = sequence(body, ecdsaWithSha256, signature)
    .toString('base64')
    .match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${(lines ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** An authority that nobody but the test trusts. */
export class Authority {
  readonly cert: string;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor() {
    const { publicKey, privateKey } = this.#keys;
    // Basic constraints: a CA. Key usage: signs certificates.
    const extensions = [
      extension('551d13', sequence(yes)),
      extension('551d0f', der(0x03, Buffer.from([2, 0x04]))),
    ];
    this.cert = issue('test authority', publicKey, extensions, 'test authority', privateKey);
  }

  /** A certificate for host names and IPv4 addresses. */
  issue(names: { dns?: string; ip?: string }): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const alternatives: Buffer[] = [];
    if (names.dns !== undefined) alternatives.push(der(0x82, Buffer.from(names.dns)));
    if (names.ip !== undefined) alternatives.push(der(0x87, Buffer.from(names.ip.split('.').map(Number))));
    const extensions = [extension('551d11', sequence(...alternatives))];
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      cert: issue('test server', publicKey, extensions, 'test authority', this.#keys.privateKey),
    };
  }
}
