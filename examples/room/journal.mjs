// What: a room on disk: a file with one entry a line, so that the room survives the server.
// Must not know: what the entries mean, beyond that RoomState adds them up.

import { closeSync, openSync, readFileSync } from 'node:fs';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { RoomState } from './public/room-state.js';

/** A journal this much longer than it began is written anew, as the state that it adds up to. */
const GROWTH_BYTES = 512 * 1024;

/**
 * Opens the journal at `path` and returns it with the state it holds.
 *
 * A server that was killed while it wrote leaves half a line at the end. It was never confirmed, so the page that
 * sent it sends it again: the half line is skipped, and the file begins anew with what is whole.
 */
export function openJournal(path) {
  closeSync(openSync(path, 'a', 0o600));
  const text = readFileSync(path, 'utf8');
  let state = new RoomState();
  for (const line of text.split('\n')) {
    const record = parse(line);
    if (record?.state !== undefined) state = RoomState.from(record.state);
    else if (record?.entry !== undefined) state.apply(record.entry);
  }
  const journal = new Journal(path, text.length);
  if (text !== '' && !text.endsWith('\n')) journal.rewrite(state);
  return { journal, state };
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

class Journal {
  #path;
  #bytes;
  #whole;
  /** Writes happen one after another; this is the last of them. */
  #last = Promise.resolve();
  #pending = 0;

  constructor(path, bytes) {
    this.#path = path;
    this.#bytes = bytes;
    this.#whole = bytes;
  }

  get idle() {
    return this.#pending === 0;
  }

  /** Resolves when the entries are in the file. Only then may their sender be told that they are safe. */
  append(entries, state) {
    if (entries.length === 0) return this.#last;
    const lines = entries.map((entry) => `${JSON.stringify({ entry })}\n`).join('');
    this.#bytes += lines.length;
    const written = this.#then(() => appendFile(this.#path, lines, { mode: 0o600 }));
    if (this.#bytes > this.#whole + GROWTH_BYTES) this.rewrite(state);
    return written;
  }

  /** Replaces the entries by their sum. The new file takes the old one's name at once, so one of them is there. */
  rewrite(state) {
    const line = `${JSON.stringify({ state })}\n`;
    this.#bytes = line.length;
    this.#whole = line.length;
    this.#then(async () => {
      await writeFile(`${this.#path}.new`, line, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
    });
  }

  /** A full disk must not end the conversation: the room goes on in memory, and the log says so. */
  #then(write) {
    this.#pending += 1;
    this.#last = this.#last
      .then(write)
      .catch((error) => console.error(`A room could not be written: ${error.message}`))
      .finally(() => {
        this.#pending -= 1;
      });
    return this.#last;
  }
}
