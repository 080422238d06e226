/**
 * What: histories that once failed, as short as they can be, and what they have shown.
 * Must not know: how a history is played.
 */
import { calm, type History, type Setting } from './history.ts';

const setting: Setting = {
  tryAllTransports: false,
  upgrade: false,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  windowMs: 60_000,
  shortPollingIntervalMs: 5000,
  bufferMessages: 1000,
  bufferBytes: 1_000_000,
  maxPayload: 1_000_000,
  requestTimeout: 0,
  bufferedBytes: 1_000_000,
  slowReader: 'close',
  answersEvery: 0,
};

const shortPolling: Setting = { ...setting, transports: ['short-polling'] };
const fromClient = { deed: 'send', end: 'client', messages: 1, bytes: 10 } as const;
const fromServer = { ...fromClient, end: 'server' } as const;

/** What chance hardly finds, and a broken end shows itself in. */
export const rareHistories: readonly History[] = [
  // An attempt to attach takes long, and the client confirms over the polls meanwhile: the server begins later than asked.
  {
    setting: { ...setting, transports: ['polling', 'websocket'], upgrade: true },
    deeds: [
      { ...fromServer, atMs: 100 },
      { ...fromServer, atMs: 1500 },
    ],
    fates: [[1, { upMs: 1000, downMs: 5 }]],
  },
];

export const mendedHistories: readonly (readonly [what: string, history: History])[] = [
  [
    'a row of short polls is interrupted because it is never pinged',
    { setting: shortPolling, deeds: [], fates: [] },
  ],
  [
    'a POST is never answered while the polls beside it are, and is not sent again',
    {
      setting: shortPolling,
      deeds: [
        { ...fromClient, atMs: 435, messages: 2 },
        { atMs: 446, deed: 'cut', noticed: 'nobody' },
      ],
      fates: [],
    },
  ],
  [
    'a session over short polling that the server closes goes on for ever',
    { setting: shortPolling, deeds: [{ atMs: 16_144, deed: 'close', end: 'server' }], fates: [] },
  ],
  [
    'a client whose session is over polls on because a POST hangs',
    {
      setting: { ...shortPolling, bufferMessages: 3 },
      deeds: [
        { ...fromClient, atMs: 329, messages: 3 },
        { atMs: 330, deed: 'cut', noticed: 'nobody' },
        { ...fromClient, atMs: 463 },
      ],
      fates: [],
    },
  ],
  [
    'only a poll that comes too late brings the count, and the server never learns it',
    {
      setting: { ...setting, upgrade: true },
      deeds: [
        { ...fromClient, atMs: 2961, messages: 2 },
        { ...fromServer, atMs: 3101 },
      ],
      fates: [
        [0, { upMs: 3000, downMs: 5, fault: 'answer lost', noticed: 'nobody' }],
        [1, { upMs: 5, downMs: 400 }],
        [2, { ...calm, fault: 'hangs' }],
        [3, { ...calm, fault: 'bad gateway' }],
        [5, { ...calm, fault: 'half a body' }],
        [6, { ...calm, fault: 'refused' }],
        [7, { upMs: 3000, downMs: 5 }],
      ],
    },
  ],
  [
    'an attempt to attach that hangs is taken for having told the count',
    {
      setting: { ...setting, transports: ['sse'] },
      deeds: [
        { ...fromServer, atMs: 174 },
        { atMs: 314, deed: 'page', event: 'online' },
      ],
      fates: [[1, { ...calm, fault: 'hangs' }]],
    },
  ],
  [
    'more waits for the handshake than the session may keep, and not all of it is told',
    {
      setting: { ...setting, bufferBytes: 154 },
      deeds: [
        { ...fromClient, atMs: 300 },
        { ...fromClient, atMs: 449, messages: 4, bytes: 100 },
      ],
      fates: [
        [0, { upMs: 5, downMs: 3000 }],
        [1, { upMs: 5, downMs: 400 }],
      ],
    },
  ],
  [
    'the answer to a POST that nobody hears any more is taken for having told the count',
    {
      setting: {
        ...setting,
        transports: ['polling', 'websocket'],
        upgrade: true,
        pingInterval: 2000,
        pingTimeout: 2000,
        windowMs: 10_000,
        bufferMessages: 1,
        answersEvery: 1,
      },
      deeds: [
        { atMs: 17, deed: 'cut', noticed: 'server' },
        { ...fromServer, atMs: 22, messages: 3 },
      ],
      fates: [],
    },
  ],
  [
    'the answer to a POST overtakes the count by which a WebSocket is attached, and the session ends',
    {
      setting: { ...setting, transports: ['polling', 'websocket'], upgrade: true },
      deeds: [{ ...fromClient, atMs: 100 }],
      fates: [[1, { upMs: 5, downMs: 400 }]],
    },
  ],
];
