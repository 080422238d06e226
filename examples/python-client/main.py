"""Talks to a server: `python3 main.py http://localhost:3000 [transport]`. A line that is typed is emitted as `message`."""

import asyncio
import sys

from tautline import Client, Ended


def say_end(ended: Ended) -> None:
    print(f"(the session is over: {ended.end}; not received: {ended.not_received}, unknown: {ended.unknown})")


async def main(url: str, *transports: str) -> None:
    client = Client(url, transports=transports or ("websocket", "sse", "polling"), on_session_end=say_end)
    client.on("message", lambda *arguments: print(">", *arguments))
    async with client:
        print(f"(connected as {client.sid})")
        while line := await asyncio.to_thread(sys.stdin.readline):
            client.emit("message", line.rstrip("\n"))


asyncio.run(main(*sys.argv[1:]))
