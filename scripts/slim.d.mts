/** The plugin of the browser builds. */
export function slim(): { name: string };
