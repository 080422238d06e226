// What: the conversation: what was said, who is writing, and the field to write in.
// Must not know: the network, the board.

import { setHue } from './hue.js';
import { kept, person, room } from './identity.js';
import { LIMITS } from './limits.js';

const log = document.getElementById('log');
const list = document.getElementById('messages');
const empty = document.getElementById('empty-log');
const toNewest = document.getElementById('to-newest');
const typingLine = document.getElementById('typing');
const form = document.getElementById('composer');
const field = document.getElementById('message');

/** Somebody who says nothing for so long is not typing any more; who types, says so more often. */
const TYPING_MS = 6000;
const TYPING_AGAIN_MS = 2500;
/** Messages of one person within this time stand under one name. */
const TOGETHER_MS = 5 * 60_000;

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

/** Events: `say` with a text (prevent it, and the text stays in the field), `typing` with true or false. */
export class Chat extends EventTarget {
  #items = new Map();
  #typing = new Map();
  #saidTypingMs = 0;

  constructor() {
    super();
    field.maxLength = LIMITS.textLength;
    field.value = kept.get(`draft.${room}`) ?? '';
    this.showName();
    this.#fitField();
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
    });
    field.addEventListener('keydown', (event) => {
      // Enter that ends the choice of a Chinese or Japanese word does not send.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say();
    });
    field.addEventListener('input', () => this.#onInput());
    field.addEventListener('blur', () => this.#sayTyping(false));
    log.addEventListener('scroll', () => {
      if (atEnd()) toNewest.hidden = true;
    });
    toNewest.addEventListener('click', scrollToEnd);
    new ResizeObserver(() => toNewest.hidden && scrollToEnd()).observe(log);
  }

  focus() {
    field.focus();
  }

  showName() {
    field.placeholder = `Write as ${person.name}`;
  }

  /** Shows these messages, oldest first. What is shown already stays, so that it is not read aloud again. */
  show(messages, me) {
    const wasAtEnd = atEnd();
    const ids = new Set(messages.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (ids.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    // The history on arrival is not news.
    log.setAttribute('aria-live', this.#items.size === 0 ? 'off' : 'polite');
    let place = list.firstElementChild;
    let before;
    let added = false;
    for (const message of messages) {
      const item = this.#items.get(message.id) ?? newItem(message);
      added ||= !this.#items.has(message.id);
      this.#items.set(message.id, item);
      fill(item, message, before, me);
      if (item === place) place = item.nextElementSibling;
      else list.insertBefore(item, place);
      before = message;
    }
    // Until the room has been told, nobody knows whether it is empty.
    empty.hidden = me === undefined || messages.length > 0;
    if (!added) return;
    const mine = messages.at(-1).by === me;
    if (wasAtEnd || mine) scrollToEnd();
    else toNewest.hidden = false;
  }

  /** Somebody types or has stopped. */
  takeTyping({ by, typing }) {
    clearTimeout(this.#typing.get(by));
    this.#typing.delete(by);
    if (typing)
      this.#typing.set(
        by,
        setTimeout(() => this.takeTyping({ by, typing: false }), TYPING_MS),
      );
    this.dispatchEvent(new Event('typists'));
  }

  showTyping(nameOf) {
    const names = [...this.#typing.keys()].map(nameOf).filter((name) => name !== undefined);
    if (names.length === 0) typingLine.textContent = '';
    else if (names.length === 1) typingLine.textContent = `\u2068${names[0]}\u2069 is typing`;
    else if (names.length === 2)
      typingLine.textContent = `\u2068${names[0]}\u2069 and \u2068${names[1]}\u2069 are typing`;
    else typingLine.textContent = `${names.length} people are typing`;
  }

  #say() {
    const text = field.value.trim();
    if (text === '') return;
    const event = new CustomEvent('say', { detail: text, cancelable: true });
    if (!this.dispatchEvent(event)) return;
    field.value = '';
    this.#onInput();
  }

  #onInput() {
    this.#fitField();
    kept.set(`draft.${room}`, field.value);
    this.#sayTyping(field.value.trim() !== '');
  }

  #sayTyping(typing) {
    const nowMs = Date.now();
    if (typing ? nowMs - this.#saidTypingMs < TYPING_AGAIN_MS : this.#saidTypingMs === 0) return;
    this.#saidTypingMs = typing ? nowMs : 0;
    this.dispatchEvent(new CustomEvent('typing', { detail: typing }));
  }

  #fitField() {
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight + 2}px`;
  }
}

const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 60;

function scrollToEnd() {
  log.scrollTop = log.scrollHeight;
  toNewest.hidden = true;
}

function newItem({ text }) {
  const item = document.createElement('li');
  const head = document.createElement('p');
  const name = document.createElement('bdi');
  const at = document.createElement('time');
  const body = document.createElement('p');
  head.className = 'head';
  head.append(name, at);
  body.className = 'text';
  body.dir = 'auto';
  body.textContent = text;
  item.append(head, body);
  return item;
}

function fill(item, message, before, me) {
  const { by, at, waiting = false } = message;
  const [name, when] = item.firstElementChild.children;
  const newDay = at !== undefined && !sameDay(at, before?.at);
  const sinceMs = before === undefined ? Infinity : (at ?? Date.now()) - (before.at ?? Date.now());
  const together = !newDay && before?.by === by && sinceMs < TOGETHER_MS;
  item.classList.toggle('together', together);
  item.classList.toggle('mine', by === me);
  item.classList.toggle('waiting', waiting);
  setHue(item, by);
  if (newDay && before !== undefined) item.dataset.day = day.format(at);
  else delete item.dataset.day;
  set(name, by === me ? 'You' : message.name);
  set(when, waiting ? 'waiting to be sent' : time.format(at));
  if (at !== undefined) when.dateTime = new Date(at).toISOString();
}

/** What is the same is left alone, so that a screen reader is not told that it changed. */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const sameDay = (a, b) => b !== undefined && new Date(a).toDateString() === new Date(b).toDateString();
