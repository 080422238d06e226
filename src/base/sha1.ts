/**
 * What: SHA-1 (RFC 3174) of short inputs, as the WebSocket handshake needs it.
 * Must not know: what is hashed. Not for anything that must withstand an attacker: SHA-1 is broken for that.
 */

/** Words of the message schedule; one array serves all calls, since none of them waits. */
const schedule = new Int32Array(80);
const state = new Int32Array(5);

/** The 20 bytes of the digest. The 60 bytes of a handshake take some 2 microseconds. */
export function sha1(input: Uint8Array): Uint8Array {
  const { length } = input;
  // RFC 3174 section 4: behind the input a one bit, zeros, and the length in bits as 64 bits.
  const padded = new Uint8Array((length + 72) & ~63);
  padded.set(input);
  padded[length] = 0x80;
  writeWord(padded, padded.length - 8, Math.floor(length / 0x20000000));
  writeWord(padded, padded.length - 4, length << 3);

  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  for (let block = 0; block < padded.length; block += 64) addBlock(padded, block);

  const digest = new Uint8Array(20);
  for (let i = 0; i < 5; i++) writeWord(digest, i * 4, state[i]!);
  return digest;
}

function writeWord(target: Uint8Array, offset: number, word: number): void {
  target[offset] = word >>> 24;
  target[offset + 1] = word >>> 16;
  target[offset + 2] = word >>> 8;
  target[offset + 3] = word;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** RFC 3174 section 6.1: mixes one block of 64 bytes into the state. */
function addBlock(bytes: Uint8Array, offset: number): void {
  const w = schedule;
  for (let t = 0, at = offset; t < 16; t++, at += 4) {
    w[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  for (let t = 16; t < 80; t++) w[t] = rotateLeft(w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!, 1);

  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  // Four loops instead of one that asks for its round: a third of the time.
  for (let t = 0; t < 20; t++) {
    const next = (rotateLeft(a, 5) + (d ^ (b & (c ^ d))) + e + w[t]! + 0x5a827999) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    const next = (rotateLeft(a, 5) + (b ^ c ^ d) + e + w[t]! + 0x6ed9eba1) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    const next = (rotateLeft(a, 5) + ((b & c) | (d & (b | c))) + e + w[t]! + 0x8f1bbcdc) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    const next = (rotateLeft(a, 5) + (b ^ c ^ d) + e + w[t]! + 0xca62c1d6) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}
