/**
 * What: ends that are broken on purpose, one way each, and the simulation with such an end in place of the real one.
 * Must not know: which histories show it.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One change of one file. What is looked for must stand there once, so that the table cannot fall behind. */
export type Edit = readonly [file: string, find: string, put: string];

/** What the ends are made to do wrong, and how. */
export type Mutation = readonly [what: string, ...edits: Edit[]];

const machine = 'src/protocol/session/session.ts';
const sender = 'src/engine/client/sender.ts';
const watch = 'src/engine/client/watched-sender.ts';
const connector = 'src/engine/client/connector.ts';
const resumption = 'src/engine/client/resumable-connector.ts';
const server = 'src/engine/server/resumable-session.ts';
const requests = 'src/engine/server/session-requests.ts';
const pump = 'src/engine/server/resumable-sender.ts';
const http = 'src/transport/http/client.ts';

/** Of the state machine that both ends share: these can be seen without the ends, too. */
export const machineMutations: readonly Mutation[] = [
  [
    'forgets to replay',
    [machine, 'const replay = this.#window.from(peerReceived);', 'const replay: Message[] = [];'],
  ],
  [
    'replays the first message twice',
    [machine, 'return replay;', 'return [...replay.slice(0, 1), ...replay];'],
  ],
  [
    'tells one more than it has received',
    [
      machine,
      'this.#untoldBytes = 0;\n    return this.#received;',
      'this.#untoldBytes = 0;\n    return this.#received + 1;',
    ],
  ],
  [
    'delivers what it has delivered before',
    [
      machine,
      "if (this.#state === 'over' || index < this.#received) return false;",
      'if (index < this.#received) return true;',
    ],
  ],
  [
    'keeps without a bound',
    [
      machine,
      'const isFull = unconfirmed >= bufferMessages || this.#window.bytes + bytes > bufferBytes;',
      'const isFull = false;',
    ],
  ],
  [
    'never has room again once it was full',
    [machine, 'return this.#window.unconfirmed * 2 <=', 'return false && this.#window.unconfirmed * 2 <='],
  ],
  [
    'says nothing of what is unconfirmed',
    [machine, 'unconfirmed: this.#window.from(this.#window.confirmed)', 'unconfirmed: []'],
  ],
];

/** Of what the two ends make of it. */
export const endMutations: readonly Mutation[] = [
  [
    'the client does not mind where the server says that it begins',
    [resumption, 'return index ? parseCount(index) : link.next;', 'return link.next;'],
  ],
  [
    'the server forgets what had to wait when there is room for it',
    [pump, 'this.waiting = taken === waiting.length ? null : waiting.slice(taken);', 'this.waiting = null;'],
  ],
  [
    'the client passes what has to wait to the connection all the same',
    [sender, 'const count = Math.min(end, most);', 'const count = most;'],
  ],
  [
    'the client sends what had to wait a second time after a cut',
    [resumption, '...this.unsent];', '...this.unsent, ...this.unsent];'],
  ],
  [
    'the client lets its pongs and counts wait as well',
    [sender, '-this._waiting || Infinity, 0, packet', 'Infinity, 0, packet'],
  ],
  [
    'the server leaves one out of what it replays',
    [server, 'this.cursor = from;', 'this.cursor = Math.min(from + 1, machine.nextIndex);'],
  ],
  [
    'the server does not look at the index of a POST',
    [requests, 'let index = from;', 'let index = machine.received;'],
  ],
  [
    'the server goes on listening to a connection that was replaced',
    [server, '      old.sink = deafSink;\n      // What', '      // What'],
  ],
  [
    'the server waits for ever for a client that does not come back',
    [
      server,
      'server.clock.setTimer(server.sessionLimits.windowMs,',
      'server.clock.setTimer(server.sessionLimits.windowMs * 1e6,',
    ],
  ],
  [
    'the server does not mind a client that is silent',
    [server, 'this.#detach(CloseReason.pingTimeout, undefined);', '{}'],
  ],
  [
    'the client takes a POST that failed for one that arrived',
    [http, 'if (outcome.status !== 200 && !isLast) {', 'if (false) {'],
    [sender, 'if (session.confirmed < this.nextUnsent) {', 'if (false) {'],
  ],
  [
    'the client does not mind a server that is silent',
    [watch, 'if (delayMs <= 0) {', 'if (delayMs < -1e9) {'],
  ],
  [
    'the client tells of less than is unconfirmed',
    [
      sender,
      'session.messagesFrom(session.confirmed), this.unsent',
      'session.messagesFrom(Math.min(session.confirmed + 1, session.nextIndex)), this.unsent',
    ],
  ],
  [
    'the client waits for ever for the answer to a POST',
    [watch, 'const isPosting = this.session && this.handedOver;', 'const isPosting = false;'],
  ],
  [
    'the client takes an attempt to attach for having told its count',
    [connector, 'isNext ? session.tellCount() : session.received', 'session.tellCount()'],
    [machine, '    this.#told = 0;\n    if', '    if'],
  ],
  [
    'the client ends a session because the answer to a POST overtook the count',
    [resumption, 'if (Number(received) < session.confirmed) {', 'if (false) {'],
  ],
];

const lanes = 'src/client/outbox/lanes.ts';
const receipts = 'src/hub/outbox-receipts.ts';

/** Of outboxes, and of the server that counts for them. */
export const outboxMutations: readonly Mutation[] = [
  [
    'forgets one more than the server has',
    [lanes, 'this.#forget(lane, 0, count);', 'this.#forget(lane, 0, count + 1);'],
  ],
  [
    'takes what was sent in a session that is over for received',
    [lanes, '        message.isSent = false;\n', ''],
  ],
  [
    'leaves to nobody what a page has left behind',
    [
      lanes,
      'if (lock !== null) await this.#adopt(name, lock.release);',
      'if (lock !== null) lock.release();',
    ],
  ],
  [
    'is given again what it had received',
    [receipts, 'if ((index as number) < (this.#counts.get(key) ?? 0)) return false;', ''],
  ],
];

/**
 * Loads a module with all that it needs, in which the edits were made.
 * @param entry from the repository's root.
 */
export async function loadMutated<Module>(entry: string, edits: readonly Edit[]): Promise<Module> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'mutation',
        setup({ onLoad }) {
          for (const file of new Set(edits.map(([file]) => file))) {
            const path = join(root, file);
            const filter = new RegExp(`${path.replace(/[.\\/]/g, '\\$&')}$`);
            onLoad({ filter }, async () => {
              let contents = await readFile(path, 'utf8');
              for (const [name, find, put] of edits) {
                if (name !== file) continue;
                const [before, ...behind] = contents.split(find);
                if (behind.length !== 1) throw new Error(`${file} has ${behind.length} times: ${find}`);
                contents = `${before}${put}${behind[0]}`;
              }
              return { contents, loader: 'ts' };
            });
          }
        },
      },
    ],
  });
  const module = { exports: {} };
  const run = compileFunction(outputFiles[0]!.text, ['module', 'exports', 'require']);
  run(module, module.exports, createRequire(import.meta.url));
  return module.exports as Module;
}
