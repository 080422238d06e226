/**
 * What: starts nginx and haproxy with a configuration of the test's, on a free port and in a folder of their own, and ends them.
 * Must not know: what the configuration says, and who talks through the box.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type BoxKind = 'nginx' | 'haproxy';

/** A middle box that runs. */
export interface Box {
  readonly url: string;
  end(): Promise<void>;
}

/** What surrounds the part that the guide shows: one process in the foreground that writes to its own folder only. */
const frames: Record<BoxKind, (text: string, folder: string) => string> = {
  nginx: (text, folder) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${text}
}
`,
  haproxy: (text) => `global\n  maxconn 1000\n\n${text}\n`,
};

const commands: Record<BoxKind, (file: string, folder: string) => [string, string[]]> = {
  nginx: (file, folder) => ['/usr/sbin/nginx', ['-p', folder, '-c', file]],
  haproxy: (file) => ['/usr/sbin/haproxy', ['-db', '-q', '-f', file]],
};

/** Neither can be told to choose a port itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether an answer comes through the box from behind it; who else may have taken the port knows no such answer. */
function answers(port: number, expected: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text === expected));
    });
    request.on('error', () => resolve(false));
  });
}

/**
 * Starts a box; tries other ports when one was taken meanwhile.
 * @param configure the configuration for a port.
 * @param greeting what a GET of `/` is answered with by who stands behind the box.
 * @throws {Error} with what the program said, when it does not run.
 */
export async function startBox(
  kind: BoxKind,
  configure: (port: number) => string,
  greeting: string,
): Promise<Box> {
  const folder = await mkdtemp(join(tmpdir(), `tautline-${kind}-`));
  let said = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const file = join(folder, 'box.conf');
    await writeFile(file, frames[kind](configure(port), folder));
    const child = spawn(...commands[kind](file, folder), { stdio: ['ignore', 'pipe', 'pipe'] });
    child.on('error', (error) => {
      said += error.message;
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += text;
      });
    }
    while (isRunning(child)) {
      if (await answers(port, greeting)) {
        return {
          url: `http://127.0.0.1:${port}`,
          async end() {
            if (isRunning(child)) {
              child.kill('SIGKILL');
              await once(child, 'close');
            }
            await rm(folder, { recursive: true, force: true });
          },
        };
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await rm(folder, { recursive: true, force: true });
  throw new Error(`${kind} does not run: ${said.slice(-2000)}`);
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}
