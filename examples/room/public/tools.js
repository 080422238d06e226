// What: the tools beside the board: ink, width, undo, redo, clear, and their keys.
// Must not know: the network, strokes, how anything is drawn.

import { kept } from './identity.js';
import { ERASER, INKS, WIDTHS } from './limits.js';

const INK_NAMES = ['Ink', 'Blue', 'Green', 'Ochre', 'Red', 'Violet'];
const WIDTH_NAMES = ['Fine', 'Medium', 'Broad'];

/** Events: `undo`, `redo`, `clear`, `change` when another ink or width was chosen by key. */
export class Tools extends EventTarget {
  #form = document.getElementById('tools');
  #undo = document.getElementById('undo');
  #redo = document.getElementById('redo');
  #clear = document.getElementById('clear');
  #confirm = document.getElementById('confirm-clear');

  constructor() {
    super();
    for (let ink = 0; ink < INKS; ink += 1) this.#addChoice('inks', 'ink', ink, INK_NAMES[ink], `${ink + 1}`);
    this.#addChoice('inks', 'ink', ERASER, 'Eraser', 'E').append(icon('eraser'));
    for (const [width, name] of WIDTH_NAMES.entries()) {
      this.#addChoice('widths', 'width', width, name, width === 0 ? '[' : ']');
    }
    const { ink = 0, width = 1 } = kept.get('tool') ?? {};
    this.#choose('ink', ink);
    this.#choose('width', width);
    this.#form.addEventListener('change', () => this.#changed());
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    this.#undo.addEventListener('click', () => this.#tell('undo'));
    this.#redo.addEventListener('click', () => this.#tell('redo'));
    this.#clear.addEventListener('click', () => isDisabled(this.#clear) || this.#confirm.showModal());
    this.#confirm.addEventListener('close', () => {
      if (this.#confirm.returnValue === 'clear') this.#tell('clear');
      this.#confirm.returnValue = '';
    });
    document.addEventListener('keydown', (event) => this.#onKey(event));
  }

  get ink() {
    return Number(this.#form.elements.ink.value);
  }

  get width() {
    return Number(this.#form.elements.width.value);
  }

  /** The tool in words, for those who do not see it. */
  get name() {
    const ink = this.ink === ERASER ? 'Eraser' : INK_NAMES[this.ink];
    return `${ink}, ${WIDTH_NAMES[this.width].toLowerCase()}`;
  }

  allow({ undo, redo, clear }) {
    setDisabled(this.#undo, !undo);
    setDisabled(this.#redo, !redo);
    setDisabled(this.#clear, !clear);
  }

  #addChoice(fieldset, group, value, name, key) {
    const label = document.createElement('label');
    const input = document.createElement('input');
    Object.assign(input, { type: 'radio', name: group, value });
    input.setAttribute('aria-label', name);
    label.title = `${name} (${key})`;
    label.dataset[group] = value;
    label.append(input);
    document.getElementById(fieldset).append(label);
    return label;
  }

  #choose(group, value) {
    const choices = [...this.#form.elements[group]];
    (choices.find((choice) => Number(choice.value) === value) ?? choices[0]).checked = true;
  }

  #changed() {
    kept.set('tool', { ink: this.ink, width: this.width });
    this.#tell('change');
  }

  /** Single letters act on the board and its tools only, so that they never take a key from anything else. */
  #onKey(event) {
    const { key } = event;
    const atBoard = document.activeElement === document.body || event.target.closest?.('#drawing');
    if (!atBoard || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.ctrlKey || event.metaKey) {
      const redo = key.toLowerCase() === 'y' || (key.toLowerCase() === 'z' && event.shiftKey);
      if (!redo && key.toLowerCase() !== 'z') return;
      event.preventDefault();
      return this.#tell(redo ? 'redo' : 'undo');
    }
    if (/^[1-9]$/.test(key) && Number(key) <= INKS) this.#choose('ink', Number(key) - 1);
    else if (key === 'e' || key === 'E') this.#choose('ink', ERASER);
    else if (key === '[') this.#choose('width', Math.max(this.width - 1, 0));
    else if (key === ']') this.#choose('width', Math.min(this.width + 1, WIDTHS.length - 1));
    else return;
    this.#changed();
  }

  #tell(event) {
    this.dispatchEvent(new Event(event));
  }
}

/** `disabled` would take the focus from the button that was just pressed, and from the keyboard its place. */
const setDisabled = (button, disabled) => button.setAttribute('aria-disabled', disabled);
const isDisabled = (button) => button.getAttribute('aria-disabled') === 'true';

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}
