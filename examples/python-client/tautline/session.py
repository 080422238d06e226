"""The session: one conversation over many connections (docs/protocol/session.md), or a standard one."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import deque
from collections.abc import Callable, Coroutine
from urllib.parse import urlencode

from . import links

Message = str | bytes
COUNT = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
MOST = 2**53 - 1
DOUBLE_S = 10.0
CLOSING_S = 5.0
SWITCH_TRIES = 5


class Lost(Exception):
    """The connection is gone; the session may go on over another one."""


class Taken(Lost):
    """The server attached another connection in place of this one (code 4002)."""


class Over(Exception):
    """The session is over, and why; `received` is the other side's last count, where it was told."""

    def __init__(self, end: str, received: int | None = None, is_ours: bool = False) -> None:
        super().__init__(end)
        self.end = end
        self.received = received
        self.is_ours = is_ours  # it is for us to say it


def violation() -> Over:
    """The other side has broken the protocol: the session ends."""
    return Over("protocol", is_ours=True)


def parse_count(text: str) -> int:
    """A decimal count without sign or leading zeros, at most 2^53 - 1."""
    if not COUNT.fullmatch(text) or int(text) > MOST:
        raise violation()
    return int(text)


class Session:
    """Counts, keeps what is not confirmed, and attaches a new connection whenever the present one is lost."""

    def __init__(
        self,
        url: str,
        transports: tuple[str, ...],
        on_message: Callable[[Message], None],
        on_confirmed: Callable[[int], None],
        on_end: Callable[[Over], None],
        kept_limit_bytes: int = 16 << 20,
    ) -> None:
        self.url = url.rstrip("/")
        self.on_message = on_message
        self._on_confirmed = on_confirmed
        self._on_end = on_end
        self._wanted = list(transports)
        self._kept_limit_bytes = kept_limit_bytes
        # What the open packet says.
        self.sid = ""
        self.is_extended = False
        self.silence_s = 20.0
        self.window_s = 0.0
        self.limit_bytes = 1 << 20
        # Receiving: how many messages of the other side have come. Sending: kept[0] has the index `base`.
        self.received = 0
        self.kept: deque[Message] = deque()
        self.base = 0
        self.confirmed = 0
        self._kept_bytes = 0
        self.link: links.Link | None = None
        self.over: Over | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken_at = -DOUBLE_S
        self._attaching: asyncio.Task[None] | None = None
        self._deadline = 0.0
        self._is_closing = False
        self._is_over = asyncio.Event()

    # What the program does.

    async def open(self) -> None:
        """Makes the handshake over the first of the transports that the server has."""
        for name in self._wanted:
            try:
                await self._start(name)
                return
            except links.Unsupported:
                continue
        raise Lost("the server has none of the transports")

    def send(self, message: Message) -> int:
        """Sends a message, now or over a later connection; returns the count that will confirm it."""
        size = len(message if isinstance(message, bytes) else message.encode())
        # It may be sent again over another transport: the larger form counts.
        in_packet = 1 + (-(-size // 3) * 4 if isinstance(message, bytes) else size)
        if in_packet > self.limit_bytes:
            raise ValueError(f"{in_packet} bytes are above the server's limit of {self.limit_bytes}")
        self.kept.append(message)
        self._kept_bytes += size
        if self._kept_bytes > self._kept_limit_bytes:
            self._spawn(self._give_up(Over("overflow")))
        elif self.link:
            self.link.wake()
        return self.next

    async def switch(self, transport: str) -> None:
        """Moves the session to another transport; the present connection carries it until then."""
        self._wanted.sort(key=lambda name: name != transport)
        if transport != self._wanted[0]:
            self._wanted.insert(0, transport)
        for _ in range(SWITCH_TRIES):
            await asyncio.wait({self._attach()})
            if self.over:
                raise self.over
            if self.link and self.link.NAME == transport:
                return
        raise Lost(f"the session could not be moved to {transport}")

    async def close(self) -> None:
        """Ends the session on purpose, after what was sent before."""
        if self.over is not None:
            return
        self._is_closing = True
        if self.link:
            await self._say_end(self.link, "", is_answered=True)
        self.finish(Over("closed"))

    @property
    def next(self) -> int:
        """The index of the next message to be sent."""
        return self.base + len(self.kept)

    async def _give_up(self, over: Over) -> None:
        if self.link:
            await self._say_end(self.link, over.end)
        self.finish(over)

    async def _say_end(self, link: links.Link, end: str, is_answered: bool = False) -> None:
        with contextlib.suppress(OSError, EOFError, Lost, Over, links.Unsupported):
            async with asyncio.timeout(CLOSING_S):
                await link.say_end(end)
                if is_answered:
                    # The other side answers with its count and the same packet.
                    await self._is_over.wait()

    # What links tell.

    def url_of(self, transport: str, query: dict[str, str | int]) -> str:
        """The address of a request of this session."""
        fixed: dict[str, str | int] = {"EIO": 4, "transport": transport}
        if self.sid:
            fixed["sid"] = self.sid
        return f"{self.url}/socket.io/?{urlencode({**fixed, **query})}"

    def opened(self, said: dict[str, object]) -> None:
        """Takes the open packet."""
        self.sid = str(said["sid"])
        self.silence_s = (int(str(said["pingInterval"])) + int(str(said["pingTimeout"]))) / 1000
        self.limit_bytes = int(str(said["maxPayload"]))
        offer = said.get("session")
        if isinstance(offer, dict) and offer.get("version") == 1:
            self.is_extended = True
            self.window_s = offer["windowMs"] / 1000
            self._wanted = [name for name in self._wanted if name in offer["transports"]]

    def take_over(self, link: links.Link) -> None:
        """A new link carries the session from now on."""
        if self.link and self.link is not link:
            self.link.drop()
        self.link = link
        link.wake()
        if self._is_closing:
            self._spawn(self._say_end(link, ""))  # What was said over the connection before may be lost.

    def confirm(self, count: int, passed: int) -> None:
        """The other side has received `count` messages; lets go of those passed to the connection."""
        if count > self.next:
            raise violation()
        self.confirmed = max(self.confirmed, count)
        while self.base < min(self.confirmed, passed):
            message = self.kept.popleft()
            self._kept_bytes -= len(message if isinstance(message, bytes) else message.encode())
            self.base += 1
        self._on_confirmed(self.confirmed)

    def finish(self, over: Over) -> None:
        """The session is over."""
        if self.over is None:
            if self._is_closing:
                over = Over("closed", over.received)
            self.over = over
            self._is_over.set()
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()
            self._on_end(over)

    # How it stays attached.

    async def _start(self, transport: str) -> None:
        """Starts a link, and returns when it carries the session; raises what made it fail before that."""
        link = links.KINDS[transport](self)
        task = self._spawn(self._run(link))
        try:
            async with asyncio.timeout(self.silence_s):
                await link.attached
        except TimeoutError:
            task.cancel()
            raise Lost("no answer") from None

    async def _run(self, link: links.Link) -> None:
        error: Exception
        try:
            await link.run()
            error = Lost("the connection has ended")
        except Over as over:
            error = over
        except (Lost, links.Unsupported) as lost:
            error = lost
        except (OSError, EOFError, TimeoutError, ValueError, LookupError) as failure:
            error = Lost(repr(failure))
        if not link.attached.done():
            link.attached.set_exception(error)
        elif self.link is link:
            self.link = None
            await self._link_ended(link, error)

    async def _link_ended(self, link: links.Link, error: Exception) -> None:
        if isinstance(error, Over) or not self.is_extended:
            if isinstance(error, Over) and error.is_ours:
                await self._say_end(link, error.end)
            self.finish(error if isinstance(error, Over) else Over("lost"))
            return
        now = asyncio.get_running_loop().time()
        self._deadline = now + self.window_s
        if self.is_attaching:
            return  # It gave way to the connection that is being attached, or was lost meanwhile.
        if isinstance(error, Taken):
            if now - self._taken_at < DOUBLE_S:
                self.finish(Over("taken"))
            self._taken_at = now
        self._attach()

    @property
    def is_attaching(self) -> bool:
        """Whether a connection is being attached."""
        return self._attaching is not None and not self._attaching.done()

    def _attach(self) -> asyncio.Task[None]:
        if self._attaching is None or self._attaching.done():
            self._attaching = self._spawn(self._attach_one())
        return self._attaching

    async def _attach_one(self) -> None:
        """Attaches a connection; tries again where the session would have none, until its time is up."""
        delay = 0.02
        attempt = 0
        while self.over is None:
            try:
                await self._start(self._wanted[attempt % len(self._wanted)])
                return
            except Over as over:
                self.finish(over)
            except (Lost, links.Unsupported):
                attempt += 1
            if self.link:
                self.link.wake()
                return
            if asyncio.get_running_loop().time() >= self._deadline:
                self.finish(Over("expired"))
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))
            delay = min(delay * 2, 5)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
