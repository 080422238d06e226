/**
 * What: the configurations of middle boxes: those of the deployment guide as they stand, and what others make of them.
 * Must not know: who runs them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxKind } from './box.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/deployment.md'), 'utf8');

/** The block of the guide that is labelled so. @throws {Error} when there is none. */
function block(label: string): string {
  const [, text] = new RegExp(`^\`\`\`\\S+ ${label}\\n(.*?)^\`\`\`$`, 'ms').exec(guide) ?? [];
  if (text === undefined) throw new Error(`The deployment guide has no ${label}.`);
  return text;
}

const recommended: Record<BoxKind, string> = { nginx: block('nginx.conf'), haproxy: block('haproxy.cfg') };

/** Replaces all that matches. @throws {Error} when nothing does: the guide has changed, and the test shows nothing. */
function edit(text: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(text)) throw new Error(`Nothing matches ${pattern} in:\n${text}`);
  return text.replace(new RegExp(pattern, `${pattern.flags}g`), replacement);
}

/** What somebody has done to the recommended configuration. */
export type Change = (text: string) => string;

/** nginx, into the location. */
const inLocation =
  (...lines: string[]): Change =>
  (text) =>
    edit(text, /(location \S+ \{)/, `$1\n    ${lines.join('\n    ')}`);

/** haproxy, into the frontend. */
const inFrontend =
  (line: string): Change =>
  (text) =>
    edit(text, /(default_backend \S+)/, `${line}\n  $1`);

const IS_UPGRADE = '{ hdr(upgrade) -i websocket }';

/** nginx as it is when nobody has thought of upgrades: HTTP/1.0 to the nodes, and no header of the connection's. */
export const withoutUpgrade: Change = (text) =>
  edit(text, /^ *proxy_(http_version|set_header (Upgrade|Connection)).*\n/m, '');
/** nginx gathers and compresses all that it can. */
export const gathering = inLocation(
  'proxy_buffering on;',
  'gzip on;',
  'gzip_http_version 1.0;',
  'gzip_proxied any;',
  'gzip_types *;',
  'gzip_min_length 1;',
);
/** And does not let itself be told otherwise. */
export const deaf = inLocation('proxy_ignore_headers X-Accel-Buffering;');
/** Whatever is silent for five seconds is cut. */
export const impatient: Record<BoxKind, Change> = {
  nginx: (text) => edit(text, /(proxy_\w+_timeout) 60s/, '$1 5s'),
  haproxy: (text) => edit(text, /(timeout (?:client|server|tunnel)) 60s/, '$1 5s'),
};
/** haproxy answers an upgrade with 403. */
export const refusing = inFrontend(`http-request deny deny_status 403 if ${IS_UPGRADE}`);
/** haproxy lets an upgrade wait for a minute before it refuses it. */
export const swallowing: Change = (text) =>
  inFrontend(`http-request tarpit if ${IS_UPGRADE}`)(edit(text, /(mode http)/, '$1\n  timeout tarpit 60s'));
/** haproxy passes the request on as one that asks for no upgrade. */
export const stripping = inFrontend('http-request del-header upgrade');

/** haproxy takes the nodes in turn; only the cookie brings a client back. */
export const byTurns: Change = (text) => edit(text, /balance source/, 'balance roundrobin');

/** As the guide has it for access logs; nginx writes to a file, haproxy to a port of UDP. */
export const loggingTo: Record<BoxKind, (target: string) => Change> = {
  nginx: (file) => (text) => {
    const log = edit(block('nginx-log.conf'), /\/var\/log\S+\.log/, file);
    const [line = ''] = /^access_log .*$/m.exec(log) ?? [];
    return log.replace(line, '') + edit(text, /(server \{)/, `$1\n  ${line}`);
  },
  haproxy: (port) => (text) =>
    edit(text, /(mode http)/, `$1\n${edit(block('haproxy-log.cfg'), /:514\b/, `:${port}`).trimEnd()}`),
};

/** A configuration for a port of the box and the ports of the nodes behind it. */
export function configuration(
  kind: BoxKind,
  changes: readonly Change[],
  port: number,
  nodes: readonly number[],
): string {
  let text = changes.reduce((result, change) => change(result), recommended[kind]);
  text = edit(
    text,
    kind === 'nginx' ? /listen 80;/ : /bind :80$/m,
    kind === 'nginx' ? `listen 127.0.0.1:${port};` : `bind 127.0.0.1:${port}`,
  );
  nodes.forEach((node, i) => {
    text = edit(text, new RegExp(`127\\.0\\.0\\.1:${3000 + i}\\b`), `127.0.0.1:${node}`);
  });
  // All else goes to the nodes as well.
  return kind === 'nginx' ? edit(text, /location \/socket\.io\//, 'location /') : text;
}
