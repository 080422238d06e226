/**
 * What: the load generator in Node, for machines without a C compiler; same arguments and answer as load.c.
 * Must not know: which peer it loads; frames come ready-made in arguments (harness/plan.mjs, bench/README.md).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const OPENING_LIMIT = 100;
const RING = 1024;
const SAMPLE_LIMIT = 4096;

const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    mode: text,
    port: text,
    connections: text,
    sources: text,
    greeted: text,
    frames: text,
    inflight: text,
    senders: text,
    pid: text,
    warmup: text,
    window: text,
    request: text,
    greeting: text,
    message: text,
    reply: text,
    closing: text,
    accept: text,
    require: text,
  },
});
const number = (/** @type {string | undefined} */ value, /** @type {number} */ otherwise) =>
  value === undefined ? otherwise : Number(value);
const bytes = (/** @type {string | undefined} */ hex) => Buffer.from(hex ?? '', 'hex');
const plan = {
  mode: values.mode,
  port: number(values.port, 0),
  connections: number(values.connections, 1),
  sources: number(values.sources, 1),
  greeted: number(values.greeted, 0),
  frames: number(values.frames, 1),
  inflight: number(values.inflight, 1),
  senders: number(values.senders, 1),
  pid: number(values.pid, 0),
  warmupMs: number(values.warmup, 0),
  windowMs: number(values.window, 0),
  request: bytes(values.request),
  greeting: bytes(values.greeting),
  message: bytes(values.message),
  reply: bytes(values.reply),
  closing: bytes(values.closing),
  accept: values.accept ?? '',
  require: values.require ?? '',
};

/** One chunk for all connections: libuv fills it and calls back before it reads another socket. */
const chunk = Buffer.allocUnsafe(256 * 1024);
/** The message, or the several that take turns, repeated. */
const burst = Buffer.concat(
  plan.message.length ? Array(1 + Math.floor(65536 / plan.message.length)).fill(plan.message) : [],
);
/** The reply, as often as a chunk can hold it, and once more. */
const replies = Buffer.concat(
  plan.reply.length ? Array(2 + Math.floor(chunk.length / plan.reply.length)).fill(plan.reply) : [],
);
const frameLength = plan.message.length / plan.frames;
const heartbeatAnswer = Buffer.from([0x81, 0x81, 1, 2, 3, 4, 0x33 ^ 1]);

let opened = 0;
let opening = 0;
let ready = 0;
let delivered = 0;
let sent = 0;
let completed = 0;
let receivedBytes = 0;
let churned = 0;
let stopping = false;
let topUpDue = false;
let sampleDone = false;
const sample = /** @type {Buffer[]} */ ([]);
const levels = new Uint32Array(RING);
const connections = /** @type {Connection[]} */ ([]);

/** @returns {never} */
function fail(/** @type {string} */ what) {
  process.stdout.write(`${JSON.stringify({ error: what })}\n`, () => process.exit(1));
  throw new Error(what);
}

/** Seconds that all threads of a process ran, and that they waited for a busy core. */
function coreTime(/** @type {number} */ pid) {
  const sum = { ran: 0, waited: 0 };
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8')
        .split(' ')
        .map(Number);
      sum.ran += ran / 1e9;
      sum.waited += waited / 1e9;
    }
  } catch {
    // Not Linux, or a thread that has just ended: the report then says 0 %.
  }
  return sum;
}

/** Whether the chunk, from `at` on, goes on with replies as from `position` of the first one. */
function isReply(/** @type {number} */ position, /** @type {number} */ at, /** @type {number} */ length) {
  return chunk.compare(replies, position, position + length, at, at + length) === 0;
}

class Connection {
  constructor(/** @type {boolean} */ isSampled) {
    this.isSampled = isSampled;
    this.isReady = false;
    this.isClosing = false;
    this.closeSeen = false;
    this.head = /** @type {string | null} */ ('');
    this.framePosition = 0;
    this.header = new Uint8Array(10);
    this.headerLength = 0;
    this.payloadLeft = 0;
    this.framesReceived = 0;
    this.burstPosition = 0;
    opening++;
    const source = opened++ % plan.sources;
    this.socket = connect({
      port: plan.port,
      host: '127.0.0.1',
      ...(plan.sources > 1 ? { localAddress: `127.0.0.${1 + source}` } : {}),
      noDelay: true,
      onread: {
        buffer: chunk,
        callback: (length) => {
          this.received(length);
          return true;
        },
      },
    });
    this.socket.on('connect', () => this.socket.write(plan.request));
    this.socket.on('error', (error) => fail(error.message));
    this.socket.on('end', () => this.ended());
  }

  received(/** @type {number} */ length) {
    receivedBytes += length;
    let at = 0;
    if (this.head !== null) {
      const before = this.head.length;
      this.head += chunk.toString('latin1', 0, length);
      const mark = this.head.indexOf('\r\n\r\n');
      if (mark < 0) return;
      at = mark + 4 - before;
      this.handshakeDone(this.head.slice(0, mark + 2));
    }
    const before = this.framesReceived;
    const wasReady = this.isReady;
    this.walk(at, length);
    if (plan.mode === 'echo' && wasReady && !stopping) {
      const frames = this.framesReceived - before;
      sent += frames;
      this.send(frames);
    } else if (plan.mode === 'broadcast' && sent > 0 && sent - completed < plan.inflight && !topUpDue) {
      topUpDue = true;
      setImmediate(topUpBroadcast);
    }
  }

  handshakeDone(/** @type {string} */ head) {
    this.head = null;
    if (!head.startsWith('HTTP/1.1 101 ')) fail(`refused: ${head.slice(0, 30)}`);
    if (!head.includes(plan.accept)) fail('wrong Sec-WebSocket-Accept');
    if (!head.includes(plan.require)) fail(`missing in the answer: ${plan.require}`);
    if (plan.mode === 'churn') {
      this.isClosing = true;
      this.socket.write(plan.closing);
      return;
    }
    if (plan.greeting.length) this.socket.write(plan.greeting);
    if (!plan.greeted) this.becameReady();
  }

  becameReady() {
    this.isReady = true;
    this.framesReceived = 0;
    ready++;
    opening--;
  }

  send(/** @type {number} */ frames) {
    let left = frames * frameLength;
    while (left > 0) {
      const now = Math.min(left, burst.length - this.burstPosition);
      this.socket.write(burst.subarray(this.burstPosition, this.burstPosition + now));
      this.burstPosition = (this.burstPosition + now) % burst.length;
      left -= now;
    }
  }

  frameReceived() {
    if (!this.isReady) {
      if (++this.framesReceived === plan.greeted) this.becameReady();
      return;
    }
    delivered++;
    if (plan.mode === 'broadcast') {
      const slot = this.framesReceived % RING;
      const level = (levels[slot] ?? 0) + 1;
      levels[slot] = level === plan.connections ? 0 : level;
      if (level === plan.connections) completed++;
    }
    this.framesReceived++;
  }

  /** Compares what arrives with the one reply that is due; anything else goes the long way. */
  walk(/** @type {number} */ at, /** @type {number} */ end) {
    const length = plan.reply.length;
    while (at < end) {
      if (length > 0 && this.isReady && this.headerLength === 0 && this.payloadLeft === 0) {
        // All of the chunk at once; where it is not all replies, frame by frame.
        const from = this.framePosition;
        if (isReply(from, at, end - at)) {
          this.framePosition = (from + end - at) % length;
          for (let frames = Math.floor((from + end - at) / length); frames > 0; frames--)
            this.frameReceived();
          return;
        }
        const here = Math.min(end - at, length - from);
        if (isReply(from, at, here)) {
          at += here;
          this.framePosition = 0;
          this.frameReceived();
          continue;
        }
        // Not the reply: a heartbeat, which differs in its second byte at the latest, or a fault.
        if (from > 1) fail('altered reply');
        this.headerLength = from;
        this.header[0] = plan.reply[0] ?? 0;
        this.framePosition = 0;
      }
      at = this.walkAny(at, end);
    }
  }

  /** Walks at most one frame of any content, and gives the position after it. */
  walkAny(/** @type {number} */ at, /** @type {number} */ end) {
    const header = this.header;
    const isSampling = this.isSampled && this.isReady && !sampleDone;
    const start = at;
    if (this.payloadLeft === 0) {
      for (;;) {
        const short = this.headerLength >= 2 ? /** @type {number} */ (header[1]) & 127 : 0;
        const need = short === 127 ? 10 : short === 126 ? 4 : 2;
        if (this.headerLength >= need) break;
        if (at === end) {
          if (isSampling) sample.push(Buffer.from(chunk.subarray(start, at)));
          return at;
        }
        header[this.headerLength++] = /** @type {number} */ (chunk[at++]);
      }
      const view = new DataView(header.buffer);
      const short = view.getUint8(1) & 127;
      this.payloadLeft =
        short === 127 ? Number(view.getBigUint64(2)) : short === 126 ? view.getUint16(2) : short;
    }
    const opcode = /** @type {number} */ (header[0]) & 15;
    const here = Math.min(end - at, this.payloadLeft);
    const isHeartbeat =
      plan.greeted > 0 && opcode === 1 && header[1] === 1 && (here === 0 || chunk[at] === 0x32);
    if (plan.reply.length > 0 && this.isReady && !isHeartbeat && opcode < 8) fail('altered reply');
    at += here;
    this.payloadLeft -= here;
    if (isSampling) sample.push(Buffer.from(chunk.subarray(start, at)));
    if (this.payloadLeft > 0) return at;
    this.headerLength = 0;
    if (opcode === 8) {
      this.closeSeen = true;
      if (plan.mode !== 'churn') fail('server closed a connection');
    } else if (isHeartbeat) {
      this.socket.write(heartbeatAnswer);
    } else if (opcode < 8) {
      if (isSampling) sampleDone = true;
      this.frameReceived();
    }
    return at;
  }

  ended() {
    if (plan.mode !== 'churn') fail('server dropped a connection');
    if (!this.closeSeen) fail('connection ended without a close frame');
    churned++;
    opening--;
    if (!stopping) new Connection(false);
  }
}

/** A broadcast counts as finished when every connection has it; then the next one leaves. */
function topUpBroadcast() {
  topUpDue = false;
  if (stopping) return;
  const first = sent;
  sent = completed + plan.inflight;
  for (let i = 0; i < plan.senders; i++) {
    // Of the messages first, first + 1, … sent - 1, those whose turn is the connection's.
    const before = Math.ceil((first - i) / plan.senders);
    connections[i]?.send(Math.ceil((sent - i) / plan.senders) - before);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function openAll() {
  const deadline = Date.now() + 60_000;
  while (ready < plan.connections) {
    while (connections.length < plan.connections && opening < OPENING_LIMIT) {
      connections.push(new Connection(connections.length === 0));
    }
    await turn();
    if (Date.now() > deadline) fail('connections did not become ready');
  }
}

async function runWindow() {
  await pause(plan.warmupMs);
  const server = coreTime(plan.pid);
  const self = coreTime(process.pid);
  const before = { delivered, churned, receivedBytes };
  const begin = performance.now();
  await pause(plan.windowMs);
  const seconds = (performance.now() - begin) / 1000;
  const serverEnd = coreTime(plan.pid);
  const selfEnd = coreTime(process.pid);
  const count = plan.mode === 'churn' ? churned - before.churned : delivered - before.delivered;
  const bytesRead = receivedBytes - before.receivedBytes;

  // Nothing new leaves; all that is under way must arrive.
  stopping = true;
  const perMessage = plan.mode === 'broadcast' ? plan.connections : 1;
  const isDone = () => (plan.mode === 'churn' ? opening === 0 : delivered === sent * perMessage);
  const patience = Date.now() + 5000;
  while (!isDone() && Date.now() < patience) await turn();
  // One that comes twice comes last.
  if (isDone()) await pause(50);
  if (!isDone()) fail(`not what was due arrived: ${delivered} of ${sent * perMessage}`);
  return {
    count,
    seconds,
    bytes: bytesRead,
    serverRan: (serverEnd.ran - server.ran) / seconds,
    serverWaited: (serverEnd.waited - server.waited) / seconds,
    loadRan: (selfEnd.ran - self.ran) / seconds,
    loadWaited: (selfEnd.waited - self.waited) / seconds,
    sample: sampleDone ? Buffer.concat(sample).subarray(0, SAMPLE_LIMIT).toString('hex') : '',
  };
}

/** @returns {Promise<object>} */
async function run() {
  if (plan.mode === 'churn') {
    for (let i = 0; i < plan.connections; i++) new Connection(false);
    return runWindow();
  }
  await openAll();
  if (plan.mode === 'hold') {
    process.stdout.write(`${JSON.stringify({ held: ready })}\n`);
    await new Promise((resolve) => {
      process.stdin.once('data', resolve);
      process.stdin.once('end', resolve);
    });
    return {};
  }
  if (plan.mode === 'echo') {
    for (const connection of connections) {
      sent += plan.inflight;
      connection.send(plan.inflight);
    }
  } else {
    topUpBroadcast();
  }
  return runWindow();
}

const answer = await run();
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
