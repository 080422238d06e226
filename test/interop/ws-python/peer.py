"""Python's `websockets` as a peer: `peer.py serve` or `peer.py connect URL [deflate]`. One line of JSON per fact."""

import asyncio
import json
import sys

import websockets

DEFLATE = "deflate" in sys.argv
OPTIONS = {"compression": "deflate" if DEFLATE else None, "max_size": 4_000_000}


def tell(**facts):
    print(json.dumps(facts), flush=True)


def negotiated(connection):
    return [extension.name for extension in connection.extensions]


async def answer(connection, message):
    if message == "ping me":
        waiter = await connection.ping(b"from python")
        await waiter
        await connection.send("pinged")
    elif message == "close me":
        await connection.close(4123, "as you wish")
    elif message == "in pieces":
        await connection.send(["in ", "", "pieces"])
    else:
        await connection.send(message)


async def echo(connection):
    tell(
        event="open",
        path=connection.path,
        subprotocol=connection.subprotocol,
        extensions=negotiated(connection),
    )
    try:
        async for message in connection:
            await answer(connection, message)
    except websockets.exceptions.ConnectionClosed:
        pass
    tell(event="close", code=connection.close_code, reason=connection.close_reason)


async def serve():
    server = await websockets.serve(
        echo, "127.0.0.1", 0, subprotocols=["chat", "other"], **OPTIONS
    )
    tell(event="listening", port=server.sockets[0].getsockname()[1])
    # Until the test has read what it wants and closes our standard input.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()
    await server.wait_closed()


async def connect(url):
    async with websockets.connect(url, subprotocols=["chat"], **OPTIONS) as connection:
        tell(
            event="open",
            subprotocol=connection.subprotocol,
            extensions=negotiated(connection),
        )
        for message in ["text", "grüße 你好 🎈", "", b"bytes", b"", "x" * 300_000, bytes(1_000_000)]:
            await connection.send(message)
            back = await connection.recv()
            tell(event="echo", same=back == message, length=len(back))
        await connection.send(["in ", "four ", "", "pieces"])
        tell(event="pieces", back=await connection.recv())
        waiter = await connection.ping(b"from python")
        await asyncio.wait_for(waiter, 10)
        tell(event="pong")
        for number in range(2_000):
            await connection.send(str(number))
        got = [int(await connection.recv()) for _ in range(2_000)]
        tell(event="order", kept=got == list(range(2_000)))
        await connection.close(4321, "enough")
    tell(event="close", code=connection.close_code, reason=connection.close_reason)


async def refused(url):
    try:
        await websockets.connect(url, max_size=None)
    except websockets.exceptions.InvalidStatusCode as error:
        tell(event="refused", status=error.status_code)


async def closed(url):
    """Waits for the server to close."""
    async with websockets.connect(url, **OPTIONS) as connection:
        await connection.send("close me")
        try:
            await connection.recv()
        except websockets.exceptions.ConnectionClosed as error:
            tell(event="close", code=error.rcvd.code, reason=error.rcvd.reason)


MODES = {"serve": serve, "connect": connect, "refused": refused, "closed": closed}
asyncio.run(MODES[sys.argv[1]](*sys.argv[2:3] if sys.argv[1] != "serve" else []))
