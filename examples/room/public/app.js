// What: the page: it makes the parts and tells each what it needs from the others.
// Must not know: anything that one of the parts could know alone.

import { Board } from './board.js';
import { Chat } from './chat.js';
import { Connection } from './connection.js';
import { setPointer, showCursors, showNib } from './cursors.js';
import { DraftSender, Drafts } from './drafts.js';
import { newRoomPath, person, room } from './identity.js';
import { Outbox } from './outbox.js';
import { Pen } from './pen.js';
import { People } from './people.js';
import { RoomCopy } from './room-copy.js';
import { showStatus } from './status.js';
import { StrokesOfMine } from './strokes-of-mine.js';
import { Tools } from './tools.js';

const canvas = document.getElementById('board');
const connection = new Connection();
const outbox = new Outbox((operations) => connection.ask('operations', operations));
const copy = new RoomCopy(outbox);
const board = new Board(canvas);
const tools = new Tools();
const pen = new Pen(
  canvas,
  () => ({ ink: tools.ink, width: tools.width }),
  () => outbox.strokeKey(),
);
const mine = new StrokesOfMine(copy, outbox);
const drafts = new Drafts();
const draftSender = new DraftSender(pen, (event, value) => connection.send(event, value));
const people = new People();
const chat = new Chat();
const { socket } = connection;

// From the server.

socket.on('welcome', (view) => {
  drafts.finish(drafts.strokes.keys());
  copy.replace(view);
  outbox.resume();
});
socket.on('entries', (entries) => {
  copy.add(entries);
  drafts.finish(entries.map(({ stroke }) => stroke));
});
socket.on('people', (list) => {
  people.show(list, copy.me);
  drafts.keep(people.ids);
  draftSender.again();
});
socket.on('draft', (draft) => drafts.takeDraft(draft));
socket.on('cursor', (cursor) => drafts.takeCursor(cursor));
socket.on('typing', (typing) => chat.takeTyping(typing));
// Not when only a connection is lost: the session carries on, without another welcome.
socket.on('disconnect', () => outbox.pause());

// From this person.

pen.addEventListener('finish', ({ detail: stroke }) => {
  if (mine.add(stroke)) return;
  connection.send('draft', { stroke: stroke.stroke, points: null });
  notice(TOO_MUCH);
});
chat.addEventListener('say', (event) => {
  if (outbox.add({ type: 'say', text: event.detail })) return;
  event.preventDefault();
  notice(TOO_MUCH);
});
chat.addEventListener('typing', ({ detail }) => connection.send('typing', detail));
people.addEventListener('rename', () => {
  connection.send('rename', person.name);
  chat.showName();
});
tools.addEventListener('undo', () => mine.undo());
tools.addEventListener('redo', () => mine.redo());
tools.addEventListener('clear', () => outbox.add({ type: 'clear', seen: copy.seq }));

// To the screen.

const showUnfinished = () => {
  board.showUnfinished(pen.stroke ? [...drafts.strokes.values(), pen.stroke] : [...drafts.strokes.values()]);
};
const showCopy = () => {
  const strokes = copy.strokes();
  board.show(strokes);
  chat.show(copy.messages(), copy.me);
  tools.allow({ undo: mine.canUndo, redo: mine.canRedo, clear: strokes.length > 0 });
  showEmptyBoard();
};
copy.addEventListener('change', showCopy);
drafts.addEventListener('change', () => {
  showUnfinished();
  showCursors(drafts.cursors, (id) => people.nameOf(id));
  showEmptyBoard();
});
pen.addEventListener('change', () => {
  showUnfinished();
  showNib(pen, tools);
  showEmptyBoard();
});
pen.addEventListener('move', () => showNib(pen, tools));
tools.addEventListener('change', () => {
  showNib(pen, tools);
  setPointer(tools.ink);
  if (document.activeElement === canvas) tell(tools.name);
});
chat.addEventListener('typists', () => chat.showTyping((id) => people.nameOf(id)));
setInterval(() => drafts.tidy(), 5000);

function showEmptyBoard() {
  const empty = copy.me !== undefined && pen.stroke === undefined;
  document.getElementById('empty-board').hidden =
    !empty || drafts.strokes.size > 0 || copy.strokes().length > 0;
}

// To the ear.

pen.addEventListener('down', () => tell('Pen down'));
pen.addEventListener('up', () => tell('Pen up'));
people.addEventListener('come', ({ detail }) => tell(`${detail} came`));
people.addEventListener('go', ({ detail }) => tell(`${detail} left`));

function tell(text) {
  document.getElementById('told').textContent = text;
}

// The rest of the page.

const TOO_MUCH = 'Too much is waiting to be sent. Wait for the connection.';
let noticeTimer;

function notice(text) {
  const element = document.getElementById('notice');
  element.textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    element.textContent = '';
  }, 6000);
}

outbox.addEventListener('refused', ({ detail }) => notice(`The server has refused something: ${detail}.`));

document.title = `${room} · Tautline room`;
document.getElementById('room-name').textContent = room;
document.getElementById('new-room').href = newRoomPath();
document.getElementById('invite').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    notice('The link is copied. Whoever opens it is in this room.');
  } catch {
    // On plain http the clipboard is closed to pages; the person can still copy what they see.
    notice(`This is the link: ${location.href}`);
  }
});

const help = document.getElementById('help');
document.getElementById('open-help').addEventListener('click', () => help.showModal());
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const inField = event.target.matches?.('input:not([type="radio"]), textarea, select');
  if (event.key === 'Escape' && event.target.id === 'message') canvas.focus({ focusVisible: true });
  else if (inField) return;
  else if (event.key === '?') help.showModal();
  else if (event.key === '/') chat.focus();
  else return;
  event.preventDefault();
});

setPointer(tools.ink);
// What was waiting before the reload is there already.
showCopy();
showStatus(connection, outbox);
connection.open();
