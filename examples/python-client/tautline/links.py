"""The connections of a session: WebSocket, long polling, short polling, and event streams with POSTs."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import websockets

from . import session as sessions
from .http1 import Request

if TYPE_CHECKING:
    from .session import Message, Session

SEPARATOR = "\x1e"
COUNT_AFTER = 32
COUNT_AFTER_BYTES = 64 * 1024


class Unsupported(Exception):
    """The server does not know the transport."""


def decode(packet: str) -> Message:
    """A packet of the HTTP transports: binary is `b` and base64."""
    return base64.b64decode(packet[1:]) if packet[:1] == "b" else packet


def encode(message: Message) -> str:
    """A message as packet of the HTTP transports."""
    return "b" + base64.b64encode(message).decode() if isinstance(message, bytes) else "4" + message


class Link:
    """One connection: its kinds say how packets come and go."""

    NAME = ""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.attached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.attach = session.received
        self.cursor = session.received  # the index of the next message that comes over this connection
        self.passed = session.base  # the index of the next message to be passed to it
        self.told = -1 if session.sid else 0  # the count that it has told the other side
        self.untold_bytes = 0
        self.control: list[str] = []
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for future in (self.attached, self._ended):
            # A failure for which nobody waits any more is no news.
            future.add_done_callback(lambda future: future.cancelled() or future.exception())

    def query(self) -> dict[str, str | int]:
        """The handshake's query, or that of attaching."""
        return {"attach": self.attach} if self.session.sid else {"tautline": 1}

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    def drop(self) -> None:
        """Forgets the connection without a word."""
        for task in self._tasks:
            task.cancel()
        if not self._ended.done():
            self._ended.set_result(None)

    async def run(self) -> None:
        """Opens the connection and takes what comes, until it is gone or the session is over."""
        self.spawn(self.connect())
        try:
            await self._ended
        finally:
            self.drop()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Runs a half of the connection; where one half ends, or fails, so does the connection."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._half_ended)
        self._tasks.append(task)

    def _half_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._ended.done():
            return
        error = task.exception()
        if error:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def connect(self) -> None:
        """Opens the connection and reads from it."""
        raise NotImplementedError

    async def say_end(self, end: str) -> None:
        """Says what is left to say, and that the session is over."""
        raise NotImplementedError

    def carry(self) -> None:
        if not self.attached.done():
            self.attached.set_result(None)
            self.session.take_over(self)

    def take(self, packet: Message) -> None:
        """Takes one packet."""
        if isinstance(packet, bytes) or packet[:1] == "4":
            self._take_message(packet if isinstance(packet, bytes) else packet[1:])
            return
        kind, body = packet[:1], packet[1:]
        if kind == "0":
            self.session.opened(json.loads(body))
            self.carry()
        elif kind == "1":
            end = body or "closed"
            raise sessions.Over(end, self.session.confirmed if self.session.is_extended else None)
        elif kind == "2":
            self.control.append("3" + body)
            self.wake()
        elif kind == "7":
            self._take_count(body)
        elif kind != "6":
            raise sessions.violation()

    def _take_message(self, message: Message) -> None:
        session = self.session
        if self.cursor == session.received:
            session.received += 1
            self.untold_bytes += len(message)
            session.on_message(message)
        elif self.cursor > session.received:
            raise sessions.violation()
        self.cursor += 1
        if session.received - self.told >= COUNT_AFTER or self.untold_bytes >= COUNT_AFTER_BYTES:
            self.wake()

    def _take_count(self, body: str) -> None:
        count, _, index = body.partition(",")
        if index:
            self.cursor = sessions.parse_count(index)
        self.take_count(sessions.parse_count(count))

    def take_count(self, count: int) -> None:
        """What a count means for this kind of connection."""
        self.session.confirm(count, self.session.next)
        self.carry()

    def due_count(self, forced: bool) -> list[str]:
        """The own count, where it is due."""
        session = self.session
        new = session.received - self.told if session.is_extended else 0
        is_due = forced or self.told < 0 or new >= COUNT_AFTER or self.untold_bytes >= COUNT_AFTER_BYTES
        if not new or not is_due:
            return []
        self.told = session.received
        self.untold_bytes = 0
        return [f"7{self.told}"]


class WebSocketLink(Link):
    """A WebSocket: packets both ways, each in a frame of its own."""

    NAME = "websocket"

    async def connect(self) -> None:
        url = "ws" + self.session.url_of(self.NAME, self.query()).removeprefix("http")
        try:
            self._socket = await websockets.connect(
                url, ping_interval=None, max_size=None, compression=None, close_timeout=1
            )
        except websockets.exceptions.InvalidHandshake as refusal:
            raise sessions.Lost(str(refusal)) from refusal
        try:
            while True:
                async with asyncio.timeout(self.session.silence_s):
                    packet = await self._socket.recv()
                self.take(packet)
        except websockets.exceptions.ConnectionClosed as closed:
            self._closed(closed)
        except sessions.Over as over:
            if over.is_ours:
                await self._socket.send("1" + over.end)
            await self._socket.close(1000)
            raise
        finally:
            self._socket.transport.abort()

    def _closed(self, closed: websockets.exceptions.ConnectionClosed) -> None:
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        if code == 4001 and self.session.sid:
            end, _, count = reason.partition(" ")
            raise sessions.Over(end, sessions.parse_count(count) if count else None)
        if code == 4002:
            raise sessions.Taken()
        raise sessions.Lost(f"closed with {code}")

    def carry(self) -> None:
        if not self.attached.done():
            super().carry()
            self.spawn(self._write())

    def take_count(self, count: int) -> None:
        if not self.attached.done():
            # The first count: the messages begin there, if they are still kept.
            if count < self.session.base:
                raise sessions.Lost("the connection begins before what was confirmed")
            self.passed = count
        self.session.confirm(count, self.passed)
        self.carry()

    async def _write(self) -> None:
        session = self.session
        try:
            while await self._wake.wait():
                self._wake.clear()
                for packet in self._control():
                    await self._socket.send(packet)
                while self.passed < session.next:
                    message = session.kept[self.passed - session.base]
                    self.passed += 1
                    await self._socket.send(message if isinstance(message, bytes) else "4" + message)
                    if not session.is_extended:
                        session.confirm(self.passed, self.passed)
        except websockets.exceptions.ConnectionClosed:
            pass  # the reading half tells

    def _control(self) -> list[str]:
        packets = self.due_count(forced=bool(self.control)) + self.control
        self.control = []
        return packets

    async def say_end(self, end: str) -> None:
        self._wake.set()
        try:
            while self.passed < self.session.next and not self._ended.done():
                await asyncio.sleep(0.01)
            for packet in [*self.due_count(forced=True), "1" + end]:
                await self._socket.send(packet)
            if not self.session.is_extended:
                await self._socket.close(1000)
        except websockets.exceptions.ConnectionClosed:
            pass


class PostingLink(Link):
    """What the HTTP transports have in common: messages go up by POSTs, one at a time, numbered by `from`."""

    posted = 0

    async def _write(self) -> None:
        session = self.session
        self.posted = session.base
        while await self._wake.wait():
            self._wake.clear()
            if session.is_attaching:
                continue  # What this POST confirmed, the new connection could not begin with.
            count = self.due_count(forced=bool(self.control))
            if count or self.control or self.posted < self.session.next:
                await self._post([*count, *self.control])

    async def _post(self, control: list[str]) -> bool:
        """Sends what is not confirmed; returns whether it was answered."""
        session = self.session
        self.control = []
        size = sum(len(packet) + 1 for packet in control)
        packets = list(control)
        for message in session.kept:
            packet = encode(message)
            size += len(packet.encode()) + 1
            if packets and size > session.limit_bytes:
                self.wake()
                break
            packets.append(packet)
        start = session.base
        self.posted = start + len(packets) - len(control)
        query: dict[str, str | int] = {"from": start} if session.is_extended else {}
        try:
            text = await self.request("POST", query, SEPARATOR.join(packets).encode())
        except (OSError, EOFError, TimeoutError):
            # Lost, or its answer is: once more, with the same `from`.
            if not session.is_extended:
                raise
            self.posted = start
            self.told = -1
            await asyncio.sleep(0.1)
            self.wake()
            return False
        if session.is_extended:
            session.confirm(sessions.parse_count(text.removeprefix("7")), session.next)
            self.posted = max(min(self.posted, session.confirmed), session.base)
            if self.posted < session.next:
                self.wake()
        else:
            session.confirm(self.posted, self.posted)
        return True

    async def request(self, method: str, query: dict[str, str | int], body: bytes = b"") -> str:
        """Makes a request of this transport and returns the body of its answer."""
        headers = {"Content-Type": "text/plain;charset=UTF-8"} if method == "POST" else {}
        async with asyncio.timeout(self.session.silence_s):
            async with Request(method, self.session.url_of(self.NAME, query), headers, body) as response:
                text = (await response.read()).decode()
                return self.check(response.status, text)

    def check(self, status: int, text: str) -> str:
        """Returns the text of a good answer, and says what another one means."""
        if status == 200:
            return text
        try:
            said = json.loads(text)
        except ValueError:
            said = {}
        if status == 400 and said.get("code") == 1:
            raise sessions.Over(said.get("end", "unknown"), said.get("received"))
        if status == 400 and said.get("code") == 0:
            raise Unsupported(text)
        raise sessions.Lost(f"{status}: {text}")

    async def say_end(self, end: str) -> None:
        while self.posted < self.session.next:
            await self._post([])
        while not await self._post([*self.due_count(forced=True), "1" + end]):
            pass


class PollingLink(PostingLink):
    """A row of GETs, each of which the server holds back until it has something to say."""

    NAME = "polling"

    async def connect(self) -> None:
        if self.session.sid:
            await self._poll({"attach": self.attach, "first": 1})
        else:
            await self._poll(self.query())
        self.spawn(self._write())
        while True:
            await self.pause()
            await self._poll({"attach": self.session.received} if self.session.is_extended else {})

    async def pause(self) -> None:
        """Long polling asks again at once."""

    async def _poll(self, query: dict[str, str | int]) -> None:
        self.cursor = asked = self.session.received
        text = await self.request("GET", query)
        for packet in text.split(SEPARATOR):
            self.take(decode(packet))
        self.told = max(self.told, asked)
        self.carry()


class ShortPollingLink(PollingLink):
    """A row of GETs that are answered at once."""

    NAME = "short-polling"
    INTERVAL_S = 0.2

    async def pause(self) -> None:
        await asyncio.sleep(self.INTERVAL_S)


class SseLink(PostingLink):
    """A stream of events down, one a packet."""

    NAME = "sse"

    async def connect(self) -> None:
        url = self.session.url_of(self.NAME, self.query())
        request = Request("GET", url, {"Accept": "text/event-stream"})
        async with asyncio.timeout(self.session.silence_s) as patience:
            async with request as response:
                if response.status != 200:
                    self.check(response.status, (await response.read()).decode())
                rest = b""
                async for chunk in response.chunks():
                    patience.reschedule(asyncio.get_running_loop().time() + self.session.silence_s)
                    *events, rest = (rest + chunk).split(b"\n\n")
                    for event in events:
                        self._take_event(event.decode().split("\n"))

    def _take_event(self, lines: list[str]) -> None:
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        if data:
            self.take(decode(json.loads(data[0]) if "event: json" in lines else "\n".join(data)))

    def carry(self) -> None:
        if not self.attached.done():
            super().carry()
            self.spawn(self._write())


KINDS: dict[str, type[Link]] = {
    kind.NAME: kind for kind in (WebSocketLink, PollingLink, ShortPollingLink, SseLink)
}
