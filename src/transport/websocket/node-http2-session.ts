/**
 * What: finds out whether the server of a client's HTTP/2 session takes WebSockets (RFC 8441 section 3).
 * Must not know: requests.
 */
import type { ClientHttp2Session } from 'node:http2';
import { PeerError, UsageError } from '../../base/errors.ts';

/** Whether the server has said that clients may ask. */
export function hasExtendedConnect(session: ClientHttp2Session): boolean {
  return session.remoteSettings.enableConnectProtocol === true;
}

/** One wait for all WebSockets of a session: hundreds may be opened before it is connected. */
const waits = new WeakMap<ClientHttp2Session, Promise<void>>();

/**
 * Resolves once the server has said that it takes extended CONNECTs.
 * Rejects with {@link PeerError} `WS_ERR_HTTP2_UNSUPPORTED` when it does not, with {@link UsageError}
 * `WS_HTTP2_SESSION_CLOSED` when the session is closed, or with what makes the session fail.
 */
export function whenExtendedConnect(session: ClientHttp2Session): Promise<void> {
  let wait = waits.get(session);
  if (wait === undefined) {
    wait = waitForSettings(session).finally(() => waits.delete(session));
    waits.set(session, wait);
  }
  return wait;
}

function waitForSettings(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    if (session.closed || session.destroyed) {
      reject(closedError());
      return;
    }
    const finish = (error?: Error): void => {
      session
        .off('remoteSettings', onSettings)
        .off('connect', ask)
        .off('error', finish)
        .off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onSettings = (): void => {
      if (hasExtendedConnect(session)) finish();
    };
    const onClose = (): void => finish(closedError());
    // Node does not tell whether the server's first SETTINGS have come yet. They come before all else that it sends
    // (RFC 9113 section 3.4), so also before its answer to a PING.
    const ask = (): void => {
      if (session.destroyed) return;
      session.ping((error) => {
        if (hasExtendedConnect(session)) finish();
        else finish(error ?? unsupportedError());
      });
    };
    session.on('remoteSettings', onSettings).on('error', finish).on('close', onClose);
    if (session.connecting) session.on('connect', ask);
    else ask();
  });
}

function closedError(): UsageError {
  return new UsageError('The HTTP/2 session is closed: connect a new one', {
    code: 'WS_HTTP2_SESSION_CLOSED',
  });
}

function unsupportedError(): PeerError {
  return new PeerError(
    'The server takes no WebSockets over HTTP/2 (it did not send SETTINGS_ENABLE_CONNECT_PROTOCOL)',
    { code: 'WS_ERR_HTTP2_UNSUPPORTED' },
  );
}
