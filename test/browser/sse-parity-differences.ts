/**
 * What: where our EventSource is seen otherwise than that of Chromium, and why.
 * Must not know: where the scripts run.
 */
import type { Difference } from './parity-differences.ts';

export const sseDifferences: readonly Difference[] = [
  {
    name: 'the class of the error event',
    because: 'a page must not learn the cause, a program in Node must',
    script: `
      const es = new EventSource(address('status', { status: '500' }));
      const event = await next(es, 'error');
      note(event.constructor.name, event.error?.code, event.error?.description, event.isTrusted);`,
    ours: ['ErrorEvent TRANSPORT_ERR_STATUS 500 false'],
    chromium: ['Event undefined undefined true'],
  },
  {
    name: 'a relative URL',
    because: 'a program in Node has no base URL',
    script: `note(attempt(() => { const es = new EventSource('/x'); es.close(); return es.url === base + '/x'; }));`,
    ours: ['SyntaxError'],
    chromium: ['true'],
  },
];
