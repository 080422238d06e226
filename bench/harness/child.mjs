/**
 * What: a child process that answers in lines of JSON on its standard output.
 * Must not know: whether the child is a server or a load generator.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 120_000;

/** A pinned process, spoken to line by line. Its standard input's end tells it to leave. */
export class Child {
  #lines = /** @type {object[]} */ ([]);
  #waiting = /** @type {((line: any) => void) | null} */ (null);
  #stderr = '';
  #exit;

  /**
   * @param {string[]} command
   * @param {Record<string, string>} [environment] added to our own
   */
  constructor(command, environment = {}) {
    const [file = '', ...words] = command;
    this.name = words.find((word) => /\.(mjs|js)$/.test(word)) ?? file;
    this.process = spawn(file, words, {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process.stdin.on('error', () => {});
    this.process.stderr.on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.#take(line));
    this.#exit = new Promise((resolve) => {
      this.process.on('error', (error) => {
        this.#stderr += error.message;
        resolve(undefined);
      });
      this.process.on('close', resolve);
    }).then(() => {
      this.#waiting?.({ error: `${this.name} ended: ${this.#stderr.trim() || 'without a word'}` });
    });
  }

  #take(/** @type {string} */ line) {
    if (!line.startsWith('{')) return;
    const value = JSON.parse(line);
    if (this.#waiting) this.#waiting(value);
    else this.#lines.push(value);
  }

  /** taskset replaces itself by the command, so this is the process that is measured. */
  get pid() {
    return this.process.pid ?? 0;
  }

  /**
   * The next line, as an object.
   * @returns {Promise<any>}
   * @throws {Error} when the child reports an error, ends, or says nothing for two minutes
   */
  async next() {
    const line = /** @type {object} */ (
      this.#lines.shift() ??
        (await new Promise((resolve) => {
          const timer = setTimeout(() => settle({ error: `${this.name} is silent` }), PATIENCE_MS);
          const settle = (/** @type {object} */ value) => {
            clearTimeout(timer);
            this.#waiting = null;
            resolve(value);
          };
          this.#waiting = settle;
          if (this.process.exitCode !== null) settle({ error: `${this.name} ended: ${this.#stderr.trim()}` });
        }))
    );
    if ('error' in line) throw new Error(/** @type {{ error: string }} */ (line).error);
    return line;
  }

  say(/** @type {string} */ word) {
    this.process.stdin.write(`${word}\n`);
  }

  /** Ends the process, with force after three seconds. */
  async stop() {
    this.process.stdin.end();
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 3000);
    await this.#exit;
    clearTimeout(timer);
  }
}
