/**
 * What: whatever socket.io-client and engine.io-client export, as ES modules and by `require`, ours export, too.
 * Must not know: what the exports do.
 */
import { createRequire } from 'node:module';
import * as officialEngine from 'engine.io-client';
import * as officialClient from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import * as webClient from '../../src/entry/client.ts';
import clientByRequire from '../../src/entry/client-cjs.ts';
import * as client from '../../src/entry/client-node.ts';
import * as webEngine from '../../src/entry/engine-client.ts';
import engineByRequire from '../../src/entry/engine-client-cjs.ts';
import * as engine from '../../src/entry/engine-client-node.ts';

const require = createRequire(import.meta.url);

/** A browser's client has none of what is for Node. */
const forNode = /^Node/;

/** WebTransport is a name that is passed over, so that it can be imported and named. */
const kindOf = (door: object, name: string) =>
  name === 'WebTransport' ? 'any' : typeof Reflect.get(door, name);

describe.each<[string, object, object]>([
  ['socket.io-client', officialClient, client],
  ['socket.io-client by require', require('socket.io-client'), clientByRequire],
  ['engine.io-client', officialEngine, engine],
  ['engine.io-client by require', require('engine.io-client'), engineByRequire],
  ['socket.io-client in browsers', officialClient, webClient],
  ['engine.io-client in browsers', officialEngine, webEngine],
])('%s', (what, theirs, ours) => {
  const names = Object.keys(theirs).filter((name) => !what.endsWith('browsers') || !forNode.test(name));

  it('has no export that ours has not', () => {
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !(name in ours))).toEqual([]);
  });

  it('has exports of the same kinds', () => {
    for (const name of names) expect([name, kindOf(ours, name)]).toEqual([name, kindOf(theirs, name)]);
  });
});

it.each<[string, object, object]>([
  ['Socket', officialClient.Socket, client.Socket],
  ['Manager', officialClient.Manager, client.Manager],
  ['the Socket of the engine', officialEngine.Socket, engine.Socket],
  ['Transport', officialEngine.Transport, engine.Transport],
])('%s has all public methods', (_, theirs, ours) => {
  const methodsOf = (door: object) => {
    const names = new Set<string>();
    let prototype = Reflect.get(door, 'prototype') as object | null;
    for (; prototype && prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
      for (const name of Object.getOwnPropertyNames(prototype)) names.add(name);
    }
    return names;
  };
  // Of theirs, what TypeScript's users cannot reach is not marked in the prototype.
  const hidden =
    /^_|^on[a-z]+$|^(subEvents|packet|emitEvent|ack|emitBuffered|destroy|notifyOutgoingListeners|maybeReconnectOnOpen|cleanup|disconnect|reconnect|createTransport|setTransport|onOpen|onHandshake)$/;
  const isPublic = (name: string) => !hidden.test(name) || name === 'once' || name === 'on';
  const isOfTransport = ours === engine.Transport;
  const missing = [...methodsOf(theirs)].filter(
    (name) => !methodsOf(ours).has(name) && (isOfTransport ? !name.startsWith('_') : isPublic(name)),
  );
  expect(missing).toEqual([]);
});

it('require gives functions that connect', () => {
  expect(typeof clientByRequire).toBe('function');
  expect(clientByRequire.io).toBe(clientByRequire.connect);
  expect(clientByRequire.protocol).toBe(officialClient.protocol);
  expect(typeof engineByRequire).toBe('function');
  expect(engine.protocol).toBe(officialEngine.protocol);
  expect(engineByRequire.Socket).toBe(engine.Socket);
});
