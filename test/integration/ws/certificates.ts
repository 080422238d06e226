/**
 * What: a certificate authority for tests: X.509 certificates written as DER and signed with Node's own crypto.
 * Must not know: who uses them. Made anew for each run, so that nothing expires and no key is in the repository.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

// X.690: tag, length, content.
function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const set = (...parts: Uint8Array[]) => der(0x31, ...parts);
const integer = (...bytes: number[]) => der(0x02, Buffer.from(bytes));
const boolean = (value: boolean) => der(0x01, Buffer.from([value ? 0xff : 0]));
const octets = (content: Uint8Array) => der(0x04, content);
const bits = (content: Uint8Array) => der(0x03, Buffer.from([0]), content);
const explicit = (number: number, content: Uint8Array) => der(0xa0 + number, content);
const time = (at: Date) => der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+/g, '')}`));

function identifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const groups = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'));
const name = (commonName: string) =>
  sequence(set(sequence(identifier('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
const extension = (id: string, isCritical: boolean, content: Uint8Array) =>
  sequence(identifier(id), ...(isCritical ? [boolean(true)] : []), octets(content));

function subjectAlternativeNames(hosts: readonly string[]): Buffer {
  return sequence(
    ...hosts.map((host) =>
      isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host)),
    ),
  );
}

const DAY_MS = 86_400_000;
let serial = 1;

interface CertificateOptions {
  readonly hosts?: readonly string[];
  /** From now, in days. */
  readonly validDays?: readonly [from: number, to: number];
}

/** A key and its certificate as PEM, as `tls` takes them. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

function certify(
  subject: string,
  publicKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  { hosts, validDays = [-1, 30] }: CertificateOptions,
): string {
  const isAuthority = hosts === undefined;
  const extensions = isAuthority
    ? [
        extension('2.5.29.19', true, sequence(boolean(true))),
        extension('2.5.29.15', true, der(0x03, Buffer.from([1, 0x06]))),
      ]
    : [extension('2.5.29.17', false, subjectAlternativeNames(hosts))];
  const [from, to] = validDays.map((days) => new Date(Date.now() + days * DAY_MS)) as [Date, Date];
  const body = sequence(
    explicit(0, integer(2)),
    integer(++serial),
    ecdsaWithSha256,
    name(issuer),
    sequence(time(from), time(to)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuerKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** Signs certificates that are trusted by whoever trusts `cert`. */
export class CertificateAuthority {
  /** Its own certificate: the `ca` of a client. */
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(commonName = 'Authority of the tests') {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = commonName;
    this.#key = privateKey;
    this.cert = certify(commonName, publicKey, commonName, privateKey, {});
  }

  /** A key and a certificate for `hosts`, which may be names and IPv4 addresses. */
  issue(hosts: readonly string[], options: Omit<CertificateOptions, 'hosts'> = {}): Identity {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = createPublicKey(privateKey);
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      cert: certify(hosts[0] ?? 'nobody', publicKey, this.#name, this.#key, { ...options, hosts }),
    };
  }
}
