"""Socket.IO 5 in one namespace: events, acknowledgements, attachments, streams, the outbox."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .session import Lost, Message, Over, Session, violation

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = "0123456"
PACKET = re.compile(r"([0-6])(?:(\d+)-)?(?:(/[^,]*),)?(\d*)(.*)", re.ASCII | re.DOTALL)
CREDIT = 64
Handler = Callable[..., Any]


class Refused(Exception):
    """The server refused the namespace, an event, or failed a stream; `said` is what it told."""

    def __init__(self, said: Any) -> None:
        super().__init__(said.get("message") if isinstance(said, dict) else str(said))
        self.said = said


@dataclass
class Sent:
    """An event until the server is known to have it."""

    arguments: list[Any]
    ack: int | None
    index: int | None  # its place in the lane of the outbox
    count: int = -1  # the session's count that confirms it; -1: not passed to this session


@dataclass(frozen=True)
class Ended:
    """What is known at the end of a session: why, and what became of the events that were not confirmed."""

    end: str
    not_received: list[list[Any]]
    unknown: list[list[Any]]


class Client:
    """A client of one namespace; begins a new session when the old one was lost."""

    def __init__(
        self,
        url: str,
        namespace: str = "/",
        auth: dict[str, Any] | None = None,
        transports: tuple[str, ...] = ("websocket", "polling"),
        outbox: bool = False,
        on_session_end: Callable[[Ended], None] | None = None,
    ) -> None:
        self._url, self._namespace, self._auth, self._transports = url, namespace, auth, transports
        self._on_session_end = on_session_end
        self._handlers: dict[str, Handler] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._streams: dict[int, asyncio.Queue[tuple[str, Any]]] = {}
        self._next_ack = self._next_stream = 0
        self._lane = f"{int(time.time() * 1000):x}-{secrets.token_hex(16)}" if outbox else None
        self._next_index = 0
        self._sent: deque[Sent] = deque()
        self._partial: tuple[re.Match[str], list[bytes], int] | None = None
        self._is_closed = False
        self._connecting: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.session: Session | None = None
        self.is_connected = False
        self.sid = ""

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def on(self, event: str, handler: Handler) -> None:
        """Calls the handler with an event's arguments; what it returns answers an acknowledgement."""
        self._handlers[event] = handler

    async def connect(self) -> None:
        """Begins a session and enters the namespace; raises Lost or Refused."""
        self._connecting = asyncio.get_running_loop().create_future()
        self.session = Session(self._url, self._transports, self._receive, self._confirmed, self._ended)
        await self.session.open()
        self._say(CONNECT, None, self._auth)
        await self._connecting

    async def switch(self, transport: str) -> None:
        """Moves the session to another transport."""
        assert self.session
        await self.session.switch(transport)

    async def close(self) -> None:
        """Leaves the namespace and ends the session."""
        self._is_closed = True
        if self.session and self.session.over is None:
            if self.is_connected:
                self._say(DISCONNECT, None, None)
            await self.session.close()
        for task in self._tasks:
            task.cancel()

    def emit(self, event: str, *arguments: Any) -> None:
        """Sends an event; bytes among the arguments travel as attachments."""
        self._emit([event, *arguments], None)

    async def call(self, event: str, *arguments: Any) -> Any:
        """Sends an event and returns what the server answers."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._next_ack += 1
        self._answers[self._next_ack] = answer
        self._emit([event, *arguments], self._next_ack)
        said = await answer
        return said[0] if len(said) == 1 else said

    async def stream(self, name: str, *arguments: Any) -> AsyncIterator[Any]:
        """Asks for a stream and yields its parts (docs/protocol/streams.md)."""
        self._next_stream += 1
        stream = self._next_stream
        parts = self._streams[stream] = asyncio.Queue()
        self._say(EVENT, None, ["tautline:stream", "open", stream, name, CREDIT, list(arguments)])
        left = CREDIT
        is_over = False
        try:
            while True:
                kind, value = await parts.get()
                if kind == "end":
                    is_over = True
                    if value is not None:
                        raise Refused(value)
                    return
                yield value
                left -= 1
                if left <= CREDIT // 2:
                    self._say(EVENT, None, ["tautline:stream", "more", stream, CREDIT - left])
                    left = CREDIT
        finally:
            del self._streams[stream]
            if not is_over and self.is_connected:
                self._say(EVENT, None, ["tautline:stream", "cancel", stream])

    # Sending.

    def _emit(self, arguments: list[Any], ack: int | None) -> None:
        index = None
        if self._lane:
            index, self._next_index = self._next_index, self._next_index + 1
        sent = Sent(arguments, ack, index)
        self._sent.append(sent)
        if self.is_connected:
            self._pass(sent)

    def _pass(self, sent: Sent) -> None:
        assert self.session
        is_named = self._lane and self.session.is_extended
        name = ["tautline:outbox", self._lane, sent.index] if is_named else []
        sent.count = self._say(EVENT, sent.ack, [*name, *sent.arguments])

    def _say(self, kind: str, ack: int | None, payload: Any) -> int:
        """Sends one packet of Socket.IO; returns the session's count that confirms it."""
        assert self.session
        attachments: list[bytes] = []
        text = "" if payload is None else json.dumps(_detach(payload, attachments), separators=(",", ":"))
        head = kind
        if attachments:
            head = f"{BINARY_EVENT if kind == EVENT else BINARY_ACK}{len(attachments)}-"
        if self._namespace != "/":
            head += self._namespace + ","
        count = self.session.send(f"{head}{'' if ack is None else ack}{text}")
        for attachment in attachments:
            count = self.session.send(attachment)
        return count

    # Receiving.

    def _receive(self, message: Message) -> None:
        if isinstance(message, bytes):
            if self._partial is None:
                raise violation()
            packet, attachments, wanted = self._partial
            attachments.append(message)
        else:
            match = PACKET.fullmatch(message)
            if match is None or self._partial is not None:
                raise violation()
            packet, attachments, wanted = match, [], int(match[2] or 0)
        is_whole = len(attachments) == wanted
        self._partial = None if is_whole else (packet, attachments, wanted)
        if is_whole and (packet[3] or "/") == self._namespace:
            try:
                payload = _attach(json.loads(packet[5]), attachments) if packet[5] else None
            except (ValueError, LookupError, TypeError):
                raise violation() from None
            self._take(packet[1], int(packet[4]) if packet[4] else None, payload)

    def _take(self, kind: str, ack: int | None, payload: Any) -> None:
        if kind == CONNECT:
            self.sid = payload["sid"]
            self._spawn(self._flush())
        elif kind == CONNECT_ERROR and self._connecting:
            self._connecting.set_exception(Refused(payload))
        elif kind == DISCONNECT:
            self.is_connected = False
            self._is_closed = True
        elif kind in (EVENT, BINARY_EVENT):
            self._take_event(ack, payload[0], payload[1:])
        elif kind in (ACK, BINARY_ACK) and ack in self._answers:
            answer = self._answers.pop(ack)
            if any(sent.ack == ack for sent in self._sent):
                # Who answers an event has it, and what came before it.
                while self._sent.popleft().ack != ack:
                    pass
            if not answer.done():
                answer.set_result(payload)

    def _take_event(self, ack: int | None, name: str, arguments: list[Any]) -> None:
        if name == "tautline:stream":
            kind, stream, *value = arguments
            if stream in self._streams and kind in ("part", "end"):
                self._streams[stream].put_nowait((kind, value[0] if value else None))
            return
        handler = self._handlers.get(name)
        if handler is None:
            return
        try:
            answer = handler(*arguments)
        except Exception as error:  # noqa: BLE001 - a fault of the program's is none of the connection's
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": f"a handler of {name!r} failed", "exception": error})
            return
        if ack is not None:
            self._say(ACK, ack, [] if answer is None else [answer])

    # From session to session.

    async def _flush(self) -> None:
        """Sends what waits, after asking which of it the server has from an older session."""
        assert self.session and self._connecting
        if self._lane and self.session.is_extended and self._next_index:
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._next_ack += 1
            self._answers[self._next_ack] = answer
            self._say(EVENT, self._next_ack, ["tautline:outbox", self._lane])
            (known,) = await answer
            while isinstance(known, int) and self._sent and (self._sent[0].index or 0) < known:
                self._sent.popleft()
        for sent in list(self._sent):
            self._pass(sent)
        self.is_connected = True
        if not self._connecting.done():
            self._connecting.set_result(None)

    def _confirmed(self, count: int) -> None:
        while self._sent and 0 <= self._sent[0].count <= count:
            self._sent.popleft()

    def _ended(self, over: Over) -> None:
        self.is_connected = False
        self._partial = None
        for parts in self._streams.values():
            parts.put_nowait(("end", {"message": f"the session is over: {over.end}", "code": "SESSION_OVER"}))
        if over.received is not None:
            self._confirmed(over.received)
        if self._connecting and not self._connecting.done():
            self._connecting.set_exception(Lost(over.end))
            return
        left = [sent.arguments for sent in self._sent]
        is_known = over.received is not None
        if not self._lane:
            self._sent.clear()
        for sent in self._sent:
            sent.count = -1
        if self._on_session_end:
            self._on_session_end(Ended(over.end, left if is_known else [], [] if is_known else left))
        if not self._is_closed:
            self._spawn(self._begin_again())

    async def _begin_again(self) -> None:
        delay = 0.1
        while not self._is_closed:
            try:
                await self.connect()
                return
            except (Lost, Over, OSError):
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _detach(value: Any, attachments: list[bytes]) -> Any:
    """Replaces bytes by placeholders."""
    if isinstance(value, bytes):
        attachments.append(value)
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(value, list | tuple):
        return [_detach(item, attachments) for item in value]
    if isinstance(value, dict):
        return {key: _detach(item, attachments) for key, item in value.items()}
    return value


def _attach(value: Any, attachments: list[bytes]) -> Any:
    """Puts the bytes in place of the placeholders."""
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return attachments[value["num"]]
        return {key: _attach(item, attachments) for key, item in value.items()}
    if isinstance(value, list):
        return [_attach(item, attachments) for item in value]
    return value
