/**
 * What: SHA-1 (RFC 3174) of short inputs, as the WebSocket handshake needs it.
 * Must not know: what is hashed. Not for anything that must withstand an attacker: SHA-1 is broken for that.
 */

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The input with its padding: a one bit, zeros, and the length in bits as 64 bits (RFC 3174 section 4). */
function padded(input: Uint8Array): DataView {
  const blocks = Math.ceil((input.length + 9) / 64);
  const bytes = new Uint8Array(blocks * 64);
  bytes.set(input);
  bytes[input.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(input.length / 0x20000000));
  view.setUint32(bytes.length - 4, (input.length << 3) >>> 0);
  return view;
}

/** Words of the message schedule; one array serves all calls, since none of them waits. */
const schedule = new Int32Array(80);

/** The 20 bytes of the digest. A call on the 60 bytes of a handshake is faster than most platforms' own. */
export function sha1(input: Uint8Array): Uint8Array {
  const message = padded(input);
  let h0 = 0x67452301;
  let h1 = 0xefcdab89 | 0;
  let h2 = 0x98badcfe | 0;
  let h3 = 0x10325476;
  let h4 = 0xc3d2e1f0 | 0;

  for (let block = 0; block < message.byteLength; block += 64) {
    for (let t = 0; t < 16; t++) schedule[t] = message.getInt32(block + t * 4);
    for (let t = 16; t < 80; t++) {
      const mixed = schedule[t - 3]! ^ schedule[t - 8]! ^ schedule[t - 14]! ^ schedule[t - 16]!;
      schedule[t] = rotateLeft(mixed, 1);
    }
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    for (let t = 0; t < 80; t++) {
      let f: number;
      if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
      else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
      else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
      else f = (b ^ c ^ d) + 0xca62c1d6;
      const next = (rotateLeft(a, 5) + f + e + schedule[t]!) | 0;
      e = d;
      d = c;
      c = rotateLeft(b, 30);
      b = a;
      a = next;
    }
    h0 = (h0 + a) | 0;
    h1 = (h1 + b) | 0;
    h2 = (h2 + c) | 0;
    h3 = (h3 + d) | 0;
    h4 = (h4 + e) | 0;
  }

  const digest = new DataView(new ArrayBuffer(20));
  [h0, h1, h2, h3, h4].forEach((word, i) => {
    digest.setInt32(i * 4, word);
  });
  return new Uint8Array(digest.buffer);
}
