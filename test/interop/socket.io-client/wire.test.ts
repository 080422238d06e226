/**
 * What: shows that a client that speaks the protocol by hand reads the same bytes from our server as from socket.io's.
 * Must not know: how either server works.
 */
import { describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../../src/server/options.ts';
import { expectParity, type Scenario, type Stage } from './stage.ts';

/** Ids and offsets differ from run to run. */
const masked = (text: string): string =>
  text
    .replaceAll(/"(sid|pid)":"[^"]+"/g, '"$1":"…"')
    .replace(/"[\w.-]{7,}"\]/g, '"…"]')
    .replaceAll('\x1e', ' | ');

class Session {
  readonly #stage: Stage;
  readonly #url: string;
  readonly opening: string;

  constructor(stage: Stage, url: string, opening: string) {
    this.#stage = stage;
    this.#url = url;
    this.opening = opening;
  }

  static async open(stage: Stage): Promise<Session> {
    const url = `${stage.url}/socket.io/?EIO=4&transport=polling`;
    const opening = await (await fetch(url)).text();
    const { sid } = JSON.parse(opening.slice(1)) as { sid: string };
    return new Session(stage, `${url}&sid=${sid}`, opening);
  }

  /** Resolves when the server holds a poll. */
  async isPolled(): Promise<void> {
    const { sid } = JSON.parse(this.opening.slice(1)) as { sid: string };
    const transport = this.#stage.io.engine.clients[sid]?.transport as { writable?: boolean } | undefined;
    while (transport?.writable !== true) await new Promise((resolve) => setImmediate(resolve));
  }

  async post(body: string): Promise<void> {
    const answer = await fetch(this.#url, { method: 'POST', body });
    this.#stage.log(`> ${body.slice(0, 60)}`, answer.status, await answer.text());
  }

  async poll(): Promise<string> {
    const answer = await fetch(this.#url);
    const text = await answer.text();
    this.#stage.log(`< ${masked(text)}`, answer.status);
    return text;
  }
}

const scenes: [string, (session: Session, stage: Stage) => Promise<void>, Partial<ServerOptions>?][] = [
  [
    'a handshake, an event and an answer',
    async (session, stage) => {
      stage.log(masked(session.opening));
      await session.post('40{"token":1}');
      await session.poll();
      await session.post('420["echo",{"a":[1,null]}]');
      await session.poll();
    },
  ],
  [
    'bytes in an event and its answer',
    async (session) => {
      await session.post('40');
      await session.poll();
      await session.post('451-7["echo",{"_placeholder":true,"num":0}]\x1ebAQIDBA==');
      await session.poll();
    },
  ],
  [
    'an unknown namespace, then a known one',
    async (session) => {
      await session.post('40/unknown,');
      await session.poll();
      await session.post('40/known,{"a":1}');
      await session.poll();
      await session.post('42/known,1["echo"]');
      await session.poll();
      await session.post('41/known,');
      await session.post('40/known,');
      await session.poll();
    },
  ],
  [
    'a refusal with data',
    async (session) => {
      await session.post('40/refusing,');
      await session.poll();
    },
  ],
  [
    'a second CONNECT',
    async (session) => {
      await session.post('40');
      await session.poll();
      await session.post('40');
      await session.poll();
      await session.poll();
    },
  ],
  [
    'an event before CONNECT',
    async (session) => {
      await session.post('42["echo"]');
      await session.poll();
    },
  ],
  [
    'a malformed packet while a poll waits',
    async (session) => {
      await session.post('40');
      await session.poll();
      const polled = session.poll();
      await session.isPolled();
      await Promise.all([session.post('4abc'), polled]);
    },
  ],
  [
    'an empty message',
    async (session) => {
      await session.post('4');
      await session.poll();
    },
  ],
  [
    'nobody who connects in time',
    async (session) => {
      await session.poll();
    },
    { connectTimeout: 50 },
  ],
  [
    'a session that can be recovered',
    async (session, stage) => {
      await session.post('40');
      await session.poll();
      stage.io.emit('all', 1);
      await session.poll();
      stage.io.volatile.emit('volatile', 1);
      await session.post('422["echo",1]');
      await session.poll();
    },
    { connectionStateRecovery: {} },
  ],
];

describe('the wire', () => {
  it.each(scenes)('of %s', async (_title, play, options = {}) => {
    const scenario: Scenario = async (stage) => {
      for (const name of ['/', '/known']) {
        stage.io.of(name).on('connection', (socket) => {
          socket.on('echo', (...args) => args.pop()?.(...args, 'echoed'));
        });
      }
      stage.io
        .of('/refusing')
        .use((_socket, next) => next(Object.assign(new Error('no'), { data: { why: [1] } })));
      await play(await Session.open(stage), stage);
    };
    const seen = await expectParity(scenario, {}, options);
    expect(seen.length).toBeGreaterThan(0);
  });
});
