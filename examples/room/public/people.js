// What: who is here, and one's own name among them.
// Must not know: the network, the board, what was said.

import { setHue } from './hue.js';
import { person } from './identity.js';

const list = document.getElementById('people');
const count = document.getElementById('people-count');
const alone = document.getElementById('alone');
const dialog = document.getElementById('rename');
const field = document.getElementById('name');

/** Events: `rename` when this person has taken another name; `come` and `go` with the names of others. */
export class People extends EventTarget {
  #people = new Map();

  constructor() {
    super();
    // No button of the form, else Enter in the field would press it, as the first one.
    document.getElementById('keep-name').addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => {
      if (dialog.returnValue === 'save' && person.rename(field.value))
        this.dispatchEvent(new Event('rename'));
      dialog.returnValue = '';
    });
  }

  get ids() {
    return new Set(this.#people.keys());
  }

  nameOf(id) {
    return this.#people.get(id);
  }

  /** Shows these people, oneself first. */
  show(people, me) {
    const before = this.#people;
    this.#people = new Map(people.map(({ id, name }) => [id, name]));
    const others = people.filter(({ id }) => id !== me);
    const focused = list.contains(document.activeElement);
    list.replaceChildren(this.#ownItem(me), ...others.map(({ id, name }) => item(id, name)));
    if (focused) list.querySelector('button').focus();
    count.textContent = people.length;
    alone.hidden = people.length > 1;
    // On the first list everybody would have just come.
    if (before.size === 0) return;
    this.#tell(
      'come',
      others.filter(({ id }) => !before.has(id)).map(({ name }) => name),
    );
    this.#tell(
      'go',
      [...before].filter(([id]) => !this.#people.has(id) && id !== me).map(([, name]) => name),
    );
  }

  #ownItem(me) {
    const own = item(me, '');
    const button = document.createElement('button');
    const name = document.createElement('bdi');
    name.textContent = person.name;
    button.type = 'button';
    button.className = 'link';
    button.title = 'Change your name';
    button.append(name, ' (you)');
    button.addEventListener('click', () => {
      field.value = person.name;
      dialog.showModal();
      field.select();
    });
    own.append(button);
    return own;
  }

  #tell(event, names) {
    if (names.length > 0) this.dispatchEvent(new CustomEvent(event, { detail: names.join(', ') }));
  }
}

function item(id, name) {
  const item = document.createElement('li');
  const text = document.createElement('bdi');
  text.textContent = name;
  setHue(item, id);
  if (name !== '') item.append(text);
  return item;
}
