// What: the page: shows notes as they come, and sends one's own.
// Must not know: the server's address; in development Vite passes it on, later the server gives the page out itself.

import { io } from 'tautline/client';

const socket = io();
const state = document.querySelector('#state');
const list = document.querySelector('ul');

function show(text) {
  const item = document.createElement('li');
  item.textContent = text;
  list.append(item);
}

socket.on('connect', () => {
  state.textContent = 'connected';
});
socket.on('disconnect', (reason) => {
  state.textContent = reason;
});
socket.on('note', show);

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { text } = event.target.elements;
  const note = text.value;
  text.value = '';
  show(`${note} (${await socket.emitWithAck('note', note)})`);
});
