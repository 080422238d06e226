/**
 * What: `npm run simulate`: plays as many histories as asked for, shows how far it is, and ends at the first that fails.
 * Must not know: how a history is played.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { playMachines } from './machines.ts';
import { describeFailure, playSeed } from './simulation.ts';

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Give a whole number from 0 on.');
  return value;
}

type Layer = 'machines' | 'ends' | 'both';

const { histories, seed, layer } = new Command('simulate')
  .description('Plays histories of networks that delay, cut, lose and repeat, in virtual time.')
  .option('--histories <number>', 'how many', whole, 100_000)
  .option('--seed <number>', 'of the first one; the others follow', whole, Date.now() % 1_000_000_000)
  .addOption(
    new Option(
      '--layer <name>',
      'the machines that count, the whole client and server, or both: one of the latter in twenty',
    )
      .choices(['machines', 'ends', 'both'])
      .default('both'),
  )
  .parse()
  .opts<{ histories: number; seed: number; layer: Layer }>();

/** The whole ends take a hundred times as long as the machines alone. */
const ENDS_EVERY = 20;

const PROGRESS_MS = 500;
const { stdout } = process;
const startMs = performance.now();
const cpuAtStart = process.cpuUsage();
const totals = { histories: 0, events: 0, delivered: 0 };
let machines = 0;
const number = (value: number) => Math.round(value).toLocaleString('en');

function progress(): string {
  const seconds = (performance.now() - startMs) / 1000;
  const played = machines + totals.histories;
  const share = histories === 0 ? 100 : (100 * played) / histories;
  const rate = number((played / seconds) * 60);
  return `${number(played)} histories (${share.toFixed(0)} %), ${rate} a minute`;
}

function play(n: number): string | null {
  if (layer === 'ends' || (layer === 'both' && n % ENDS_EVERY === 0)) {
    const failure = playSeed(seed + n, totals);
    return failure === null ? null : describeFailure(failure);
  }
  machines++;
  return playMachines(seed + n);
}

stdout.write(`${number(histories)} histories from seed ${seed} on.\n`);
let shownAtMs = startMs;
for (let n = 0; n < histories; n++) {
  const failure = play(n);
  if (failure !== null) {
    stdout.write(`${stdout.isTTY ? '\r\u001b[K' : ''}${failure}\n`);
    process.exit(1);
  }
  const nowMs = performance.now();
  if (nowMs - shownAtMs < PROGRESS_MS * (stdout.isTTY ? 1 : 20)) continue;
  shownAtMs = nowMs;
  stdout.write(stdout.isTTY ? `\r\u001b[K${progress()}` : `${progress()}\n`);
}
const { user, system } = process.cpuUsage(cpuAtStart);
const cpuSeconds = (user + system) / 1e6;
const rate = number(((machines + totals.histories) / cpuSeconds) * 60);
stdout.write(
  `${stdout.isTTY ? '\r\u001b[K' : ''}${progress()}\n` +
    `No promise was broken: ${number(machines)} histories of the machines, ${number(totals.histories)} of client and ` +
    `server with ${number(totals.delivered)} messages in ${number(totals.events)} events; ` +
    `${cpuSeconds.toFixed(1)} s of one core, ${rate} histories a minute of it.\n`,
);
