"""Runs Django's pages in threads, below the event loop of the web server."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from a2wsgi import WSGIMiddleware

_GONE = "payments.gone"


def in_threads(django: Callable[..., Iterable[bytes]], threads: int) -> Callable[..., Any]:
    """``django``, an application of WSGI, as one of ASGI.

    What it streams ends when the client goes away: a server lets an export run on for minutes.
    """

    def while_there(environ: Any, start_response: Any) -> Iterator[bytes]:
        response: Any = django(environ, start_response)
        gone = environ["asgi.scope"][_GONE]
        try:
            for chunk in response:
                if gone.is_set():
                    return
                yield chunk
        finally:
            response.close()

    pages: Any = WSGIMiddleware(while_there, workers=threads)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        gone = scope[_GONE] = threading.Event()
        watching: asyncio.Task[None] | None = None

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        async def send_and_watch(message: Any) -> None:
            nonlocal watching
            # What is answered was read: only the end is still to be received.
            watching = watching or asyncio.create_task(watch())
            await send(message)

        try:
            await pages(scope, receive, send_and_watch)
        finally:
            if watching is not None:
                watching.cancel()

    return answer
