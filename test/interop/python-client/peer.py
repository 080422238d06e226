"""The Python client of examples/ as a peer: `peer.py MODE URL TRANSPORT [COUNT]`.

One line of JSON per fact on standard output; a line on standard input says that the test has got so far.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "python-client"))

from tautline import Client, Ended  # noqa: E402
from tautline.links import ShortPollingLink  # noqa: E402

URL, TRANSPORT = sys.argv[2:4]
COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 0


def tell(**facts: Any) -> None:
    print(json.dumps(facts, default=lambda value: {"bytes": value.decode()}), flush=True)


async def word() -> str:
    """Waits for the test."""
    return (await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)).strip()


def body(n: int) -> str | bytes:
    """The nth message: text and bytes of many sizes."""
    size = (n * 37) % 1500
    return "é" * size if n % 3 else bytes([n % 256]) * size


def told(ended: Ended) -> None:
    tell(event="end", end=ended.end, not_received=ended.not_received, unknown=ended.unknown)


async def cut() -> None:
    """COUNT messages each way and an acknowledgement of every tenth, while the test cuts the connections."""
    ShortPollingLink.INTERVAL_S = 0.02
    client = Client(URL, transports=(TRANSPORT,), on_session_end=told)
    wrong: list[int] = []
    got = 0
    all_came = asyncio.Event()

    def take(n: int, content: str | bytes) -> int:
        nonlocal got
        if n != got or content != body(n):
            wrong.append(n)
        got += 1
        if got == COUNT:
            all_came.set()
        return n

    client.on("down", take)
    await client.connect()
    tell(event="open", extended=client.session is not None and client.session.is_extended)
    await word()
    answers = []
    for n in range(COUNT):
        if n % 10:
            client.emit("up", n, body(n))
        else:
            answers.append(asyncio.ensure_future(client.call("up", n, body(n))))
            await asyncio.sleep(0.05)
    acknowledged = await asyncio.gather(*answers)
    await all_came.wait()
    tell(event="done", wrong=wrong, got=got, acknowledged=acknowledged == list(range(0, COUNT, 10)))
    await word()
    # What came twice, or late, would have come before this answer.
    tell(event="heard", heard=await client.call("heard"), got=got)
    await client.close()


async def move() -> None:
    """One session over every transport in turn, with messages under way at each move."""
    client = Client(URL, transports=(TRANSPORT,), on_session_end=told)
    got: list[int] = []
    client.on("down", lambda n, _: got.append(n))
    await client.connect()
    n = 0
    over = []
    for transport in ("sse", "websocket", "polling", "short-polling", "websocket", "sse", TRANSPORT):
        client.emit("want", 50)
        for _ in range(50):
            client.emit("up", n, body(n))
            n += 1
        await client.switch(transport)
        over.append(await client.call("transport"))
    heard = await client.call("heard")
    tell(event="moved", over=over, heard=heard, said=n, got=got == list(range(50 * len(over))))
    await client.close()


async def expire() -> None:
    """What becomes of events at the end of a session, without and with an outbox."""
    for outbox in (False, True):
        is_over = asyncio.Event()

        def ended(facts: Ended, is_over: asyncio.Event = is_over) -> None:
            told(facts)
            is_over.set()

        client = Client(URL, transports=(TRANSPORT,), outbox=outbox, on_session_end=ended)
        await client.connect()
        await client.call("keep", "before")
        tell(event="open")
        # The test has cut the connection, and lets none through.
        await word()
        client.emit("keep", "meanwhile")
        tell(event="emitted")
        # The session has expired, and connections come through again.
        await word()
        await is_over.wait()
        while not client.is_connected:
            await asyncio.sleep(0.02)
        client.emit("keep", "after")
        tell(event="kept", kept=await client.call("kept"))
        await client.close()


async def rest() -> None:
    """Streams, presence, history, a refused namespace, an end by the server."""
    client = Client(URL, transports=(TRANSPORT,), on_session_end=told)
    seen: list[list[Any]] = []
    for name in ("presence:state", "presence:join", "presence:leave", "history", "chat"):
        client.on(name, lambda *arguments, name=name: seen.append([name, *arguments]))
    await client.connect()
    parts = [part async for part in client.stream("count", 200)]
    few = []
    async for part in client.stream("endless"):
        few.append(part)
        if len(few) == 3:
            break
    refusals = []
    for name in ("fails", "nobody has this"):
        try:
            async for _ in client.stream(name):
                pass
        except Exception as error:
            refusals.append(getattr(error, "said", {}).get("code"))
    tell(event="streams", whole=parts == list(range(200)), few=few, refusals=refusals)
    await client.call("cancelled")
    await client.call("enter")
    tell(event="rooms", seen=seen)
    try:
        await Client(URL, "/nowhere", transports=(TRANSPORT,)).connect()
    except Exception as error:
        tell(event="refused", said=getattr(error, "said", str(error)))
    client.emit("throw me out")
    while client.session and client.session.over is None:
        await asyncio.sleep(0.02)
    await client.close()


async def standard() -> None:
    """A server without the extensions: what Socket.IO has, and the session ends with its connection."""
    client = Client(URL, transports=("sse", TRANSPORT), on_session_end=told)
    client.on("question", lambda x: {"back": x})
    await client.connect()
    tell(event="open", extended=client.session is not None and client.session.is_extended)
    for value in ("grüße", b"\x00\xff", {"a": [b"1", 2, None]}, "x" * 100_000):
        tell(event="echo", same=await client.call("echo", value) == value)
    tell(event="asked", answer=str(await client.call("ask", b"me")))
    first = client.sid
    client.emit("cut me")
    while not client.is_connected or client.sid == first:
        await asyncio.sleep(0.02)
    tell(event="again", same=await client.call("echo", 1) == 1)
    await client.close()


MODES: dict[str, Callable[[], Awaitable[None]]] = {
    "cut": cut,
    "move": move,
    "expire": expire,
    "rest": rest,
    "standard": standard,
}
asyncio.run(MODES[sys.argv[1]]())  # type: ignore[arg-type]
