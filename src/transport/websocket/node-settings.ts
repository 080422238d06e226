/**
 * What: the settings of connections on Node, and the machine's options made of them, shared by equal connections.
 * Must not know: the names under which users give them.
 */
import type { DeflatePort, Random } from '../../base/port.ts';
import type { Role } from '../../protocol/websocket/connection-port.ts';
import type { DeflateParameters } from '../../protocol/websocket/deflate-negotiation.ts';
import type { DeflateAgreement } from '../../protocol/websocket/permessage-deflate.ts';
import { nodeByteCodec } from '../platform/node-byte-codec.ts';
import { NodeDeflate } from '../platform/node-deflate.ts';
import { nodeRandom } from '../platform/node-random.ts';
import type { NodeConnectionOptions } from './node-connection.ts';
import type { HeartbeatSettings } from './node-heartbeat.ts';

export type { HeartbeatSettings } from './node-heartbeat.ts';

/** What one side offers or accepts of permessage-deflate (RFC 7692 section 7.1), and how it compresses. */
export interface DeflateSettings extends DeflateParameters {
  /** Shorter messages are sent as they are when this side keeps no context. Default 1024. */
  readonly thresholdBytes?: number | undefined;
  /** Whether messages are sent as they are for a while after some that did not shrink. Default true. */
  readonly isAdaptive?: boolean | undefined;
  /** Default: zlib with its own defaults, one for the whole process. */
  readonly port?: DeflatePort | undefined;
}

/** What a peer may cost. 0 is no limit, everywhere. */
export interface ConnectionLimits {
  /** Largest message in bytes, after inflation. Default 100 MiB. */
  readonly payloadLimitBytes: number;
  /** Most frames of a message. Default 0, since the memory budget counts what each costs. */
  readonly fragmentLimit: number;
  /** Most chunks in which a frame may come. Default 0. */
  readonly chunkLimit: number;
  /** Memory for a message that is being put together. Default: 2.5 times the largest message and 1 MiB. */
  readonly memoryBudgetBytes: number;
}

/** What a connection allows and does by itself. */
export interface ShellSettings {
  readonly limits?: Partial<ConnectionLimits> | undefined;
  /** Default true. */
  readonly checkUtf8?: boolean | undefined;
  /** Default true. */
  readonly autoPong?: boolean | undefined;
  /** How long the peer may take for its close frame and for ending TCP. Default 30000. */
  readonly closeTimeoutMs?: number | undefined;
  /** Finds peers that have gone without a word. Default: null, not. */
  readonly heartbeat?: HeartbeatSettings | null | undefined;
  /** Messages up to this length come in memory of their own. Default 4096. */
  readonly ownedUpToBytes?: number | undefined;
}

/** A side's agreement and settings, together. */
export interface DeflateChoice {
  readonly agreement: DeflateAgreement;
  readonly settings: DeflateSettings;
}

const MIB = 1024 * 1024;
const DEFAULT_PAYLOAD_BYTES = 100 * MIB;
const sharedDeflate = new NodeDeflate();

/**
 * What a server accepts just now. A window that a client refers to cannot be forgotten again, so it is not agreed on
 * once the budget for them is spent, unless the settings say otherwise.
 */
export function acceptableDeflate(settings: DeflateSettings): DeflateParameters {
  const { port = sharedDeflate, clientMaxWindowBits, clientNoContextTakeover } = settings;
  if (clientNoContextTakeover !== undefined) return settings;
  const bits = typeof clientMaxWindowBits === 'number' ? clientMaxWindowBits : 15;
  if (port.hasRoomForPeer?.(bits) !== false) return settings;
  return { ...settings, clientNoContextTakeover: true };
}

/**
 * A message of unknown length is kept in blocks that double: up to twice its length and the block that grows. The
 * rest is for what small fragments cost besides their bytes.
 */
function memoryBudget(payloadLimitBytes: number): number {
  return payloadLimitBytes === 0 ? 0 : 2.5 * payloadLimitBytes + MIB;
}

function makeOptions(
  role: Role,
  settings: ShellSettings,
  deflate: DeflateChoice | null,
  random: Random,
): NodeConnectionOptions {
  const { limits = {} } = settings;
  const payloadLimitBytes = limits.payloadLimitBytes ?? DEFAULT_PAYLOAD_BYTES;
  return {
    role,
    codec: nodeByteCodec,
    random,
    deflate:
      deflate === null
        ? null
        : {
            agreement: deflate.agreement,
            port: deflate.settings.port ?? sharedDeflate,
            thresholdBytes: deflate.settings.thresholdBytes ?? 1024,
            isAdaptive: deflate.settings.isAdaptive ?? true,
          },
    payloadLimitBytes,
    fragmentLimit: limits.fragmentLimit ?? 0,
    chunkLimit: limits.chunkLimit ?? 0,
    memoryBudgetBytes: limits.memoryBudgetBytes ?? memoryBudget(payloadLimitBytes),
    ownedUpToBytes: settings.ownedUpToBytes ?? 4096,
    checkUtf8: settings.checkUtf8 ?? true,
    autoPong: false,
    answersPings: settings.autoPong ?? true,
    autoClose: true,
    closeTimeoutMs: settings.closeTimeoutMs ?? 30_000,
    heartbeat: settings.heartbeat ?? null,
  };
}

/** Options for a client's connection; `random` makes its masking keys. */
export function clientConnectionOptions(
  settings: ShellSettings,
  deflate: DeflateChoice | null,
  random: Random = nodeRandom,
): NodeConnectionOptions {
  return makeOptions('client', settings, deflate, random);
}

const known = new WeakMap<ShellSettings, Map<string, NodeConnectionOptions>>();

/** Options for a server's connection: equal ones of one settings object get the same object. */
export function serverConnectionOptions(
  settings: ShellSettings,
  deflate: DeflateChoice | null,
): NodeConnectionOptions {
  let byAgreement = known.get(settings);
  if (byAgreement === undefined) {
    byAgreement = new Map();
    known.set(settings, byAgreement);
  }
  const key = deflate === null ? '' : agreementKey(deflate.agreement);
  let options = byAgreement.get(key);
  if (options === undefined) {
    options = makeOptions('server', settings, deflate, nodeRandom);
    byAgreement.set(key, options);
  }
  return options;
}

function agreementKey(agreement: DeflateAgreement): string {
  const { ownWindowBits, peerWindowBits, ownContextTakeover, peerContextTakeover } = agreement;
  return `${ownWindowBits} ${peerWindowBits} ${ownContextTakeover} ${peerContextTakeover}`;
}
