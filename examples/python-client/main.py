"""Notes: `main.py http://localhost:3000 [transport ...]` sends what is typed and shows what others send."""

import asyncio
import sys

from tautline import Client, Ended


def say_end(ended: Ended) -> None:
    print(f"(the session is over: {ended.end}; not received: {ended.not_received}, unknown: {ended.unknown})")


async def main(url: str, *transports: str) -> None:
    client = Client(url, transports=transports or ("websocket", "sse", "polling"), on_session_end=say_end)
    client.on("note", lambda note: print(">", note, flush=True))
    async with client:
        print("(connected)", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(f"({await client.call('note', line.rstrip())})", flush=True)


asyncio.run(main(*sys.argv[1:]))
