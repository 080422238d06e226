// What: the colour that stands for a person, the same on every page.
// Must not know: anything of the person but the id.

/** Hues far enough apart to be told from each other. */
const HUES = 18;

/** Gives the element the person's hue; the style sheet makes the theme's colour of it, as `--mark`. */
export function setHue(element, id = '') {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  element.classList.add('hued');
  element.style.setProperty('--hue', (sum % HUES) * (360 / HUES));
}
