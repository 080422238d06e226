// What: who this window is and where: the person's key and name, the room in the address, what is kept for a reload.
// Must not know: the network, the page's elements.

import { personName, roomName } from './limits.js';

/** The room is the last part of the address, so that a copied link leads here. */
export const room = roomName(decodeURIComponent(location.pathname.replace(/^\/r\//, ''))) ?? 'lobby';

/** Random letters and digits. (`crypto.randomUUID` is missing on plain http, where a phone on the same Wi-Fi is.) */
export function randomText(length) {
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => alphabet[byte % 62]).join('');
}

/** What this window keeps through a reload. A second window is a second person, with an own key and an own pen. */
export const kept = keeper('sessionStorage');

/** What this browser keeps: the name, for the next visit. */
const browser = keeper('localStorage');

/** Storage that may be refused or full: then nothing is kept, and all else goes on. */
function keeper(kind) {
  return {
    get(key) {
      try {
        return JSON.parse(window[kind].getItem(`tautline-room.${key}`));
      } catch {
        return null;
      }
    },
    set(key, value) {
      try {
        window[kind].setItem(`tautline-room.${key}`, JSON.stringify(value));
      } catch {}
    },
  };
}

const MANNERS = [
  'Quiet',
  'Early',
  'Northern',
  'Patient',
  'Little',
  'Bright',
  'Distant',
  'Steady',
  'Kind',
  'Swift',
];
const BIRDS = ['Heron', 'Finch', 'Plover', 'Wren', 'Tern', 'Crane', 'Swallow', 'Lark', 'Curlew', 'Kestrel'];
const pick = (list) => list[crypto.getRandomValues(new Uint8Array(1))[0] % list.length];

export const person = {
  /** Proves to the server that this is the same person as before the reload. It is never shown to others. */
  key: kept.get('key') ?? randomText(24),
  name: personName(kept.get('name') ?? browser.get('name')) ?? `${pick(MANNERS)} ${pick(BIRDS)}`,

  /** Takes a new name; returns false if it is none. */
  rename(value) {
    const name = personName(value);
    if (name === undefined) return false;
    this.name = name;
    kept.set('name', name);
    browser.set('name', name);
    return true;
  },
};
kept.set('key', person.key);
kept.set('name', person.name);

/** A new room, with a name that nobody else is likely to be in. */
export const newRoomPath = () => `/r/${pick(MANNERS)}-${pick(BIRDS)}-${randomText(5)}`.toLowerCase();
