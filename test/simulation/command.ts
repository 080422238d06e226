/**
 * What: `npm run simulate`: plays as many histories as asked for, shows how far it is, and ends at the first that fails.
 * Must not know: how a history is played.
 */
import { Command, InvalidArgumentError } from 'commander';
import { describeFailure, playSeed } from './simulation.ts';

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Give a whole number from 0 on.');
  return value;
}

const { histories, seed } = new Command('simulate')
  .description('Plays histories of broken networks with the real client and server, in virtual time.')
  .option('--histories <number>', 'how many', whole, 100_000)
  .option('--seed <number>', 'of the first one; the others follow', whole, Date.now() % 1_000_000_000)
  .parse()
  .opts<{ histories: number; seed: number }>();

const PROGRESS_MS = 500;
const { stdout } = process;
const startMs = performance.now();
const cpuAtStart = process.cpuUsage();
const totals = { histories: 0, events: 0, delivered: 0 };
const number = (value: number) => Math.round(value).toLocaleString('en');

function progress(): string {
  const seconds = (performance.now() - startMs) / 1000;
  const share = histories === 0 ? 100 : (100 * totals.histories) / histories;
  const rate = number((totals.histories / seconds) * 60);
  return `${number(totals.histories)} histories (${share.toFixed(0)} %), ${rate} a minute`;
}

stdout.write(`${number(histories)} histories from seed ${seed} on.\n`);
let shownAtMs = startMs;
for (let n = 0; n < histories; n++) {
  const failure = playSeed(seed + n, totals);
  if (failure !== null) {
    stdout.write(`${stdout.isTTY ? '\r\u001b[K' : ''}${describeFailure(failure)}\n`);
    process.exit(1);
  }
  const nowMs = performance.now();
  if (nowMs - shownAtMs < PROGRESS_MS * (stdout.isTTY ? 1 : 20)) continue;
  shownAtMs = nowMs;
  stdout.write(stdout.isTTY ? `\r\u001b[K${progress()}` : `${progress()}\n`);
}
const { user, system } = process.cpuUsage(cpuAtStart);
const cpuSeconds = (user + system) / 1e6;
stdout.write(
  `${stdout.isTTY ? '\r\u001b[K' : ''}${progress()}\n` +
    `No promise was broken: ${number(totals.delivered)} messages, ${number(totals.events)} events, ` +
    `${cpuSeconds.toFixed(1)} s of one core (${number((totals.histories / cpuSeconds) * 60)} histories a minute of it).\n`,
);
