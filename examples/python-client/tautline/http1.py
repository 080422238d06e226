"""HTTP/1.1 on asyncio streams: a connection for each request, which is all that the transports need."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class Response:
    """The head of an answer; its body is read whole, or as it comes."""

    def __init__(self, status: int, headers: dict[str, str], reader: asyncio.StreamReader) -> None:
        self.status = status
        self.headers = headers
        self._reader = reader

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes; raises EOFError where it breaks off."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
                yield (await self._reader.readexactly(size + 2))[:-2]
        elif "content-length" in self.headers:
            yield await self._reader.readexactly(int(self.headers["content-length"]))
        else:
            while data := await self._reader.read(65_536):
                yield data

    async def read(self) -> bytes:
        """Reads the whole body."""
        return b"".join([chunk async for chunk in self.chunks()])


class Request:
    """An asynchronous context that sends one request and closes its connection at the end."""

    def __init__(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> None:
        self._parts = urlsplit(url)
        target = f"{self._parts.path}?{self._parts.query}"
        fields = {"Host": self._parts.netloc, "Connection": "close", **headers}
        if method == "POST":
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        self._bytes = "\r\n".join([*lines, "", ""]).encode() + body
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Response:
        is_secure = self._parts.scheme == "https"
        port = self._parts.port or (443 if is_secure else 80)
        reader, self._writer = await asyncio.open_connection(
            self._parts.hostname, port, ssl=is_secure or None, limit=1 << 20
        )
        try:
            self._writer.write(self._bytes)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except BaseException:
            await self.__aexit__()
            raise
        fields = (line.split(":", 1) for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, value in fields}
        return Response(int(lines[0].split(" ")[1]), headers, reader)

    async def __aexit__(self, *_: object) -> None:
        if self._writer:
            self._writer.transport.abort()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
