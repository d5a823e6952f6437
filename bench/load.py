"""A load generator: posts prepared requests over some connections, at once or at a steady rate.

Plain sockets and one loop, so that it takes little of the machine that it shares with the server.
"""

import math
import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Load:
    """What a run gave. Latencies are in seconds, one for each answer."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] * 1000


def run(
    host: str,
    port: int,
    requests: Sequence[bytes],
    connections: int,
    per_second: float = math.inf,
) -> Load:
    """Send every request once, when its time has come and a connection is free.

    Raises ConnectionError if the server closes a connection.
    """
    load = Load()
    selector = selectors.DefaultSelector()
    sent_at: dict[int, float] = {}
    answers: dict[int, bytes] = {}
    clock = time.perf_counter
    free: list[socket.socket] = []
    for _ in range(connections):
        connection = socket.create_connection((host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        free.append(connection)
    started = clock()
    sent = 0
    while len(load.latencies) < len(requests):
        while free and sent < len(requests) and clock() >= started + sent / per_second:
            connection = free.pop()
            answers[connection.fileno()] = b""
            sent_at[connection.fileno()] = clock()
            connection.sendall(requests[sent])
            sent += 1
        until_next = started + sent / per_second - clock()
        waiting = bool(free) and sent < len(requests)
        for key, _ in selector.select(max(0, until_next) if waiting else None):
            connection = key.fileobj  # type: ignore[assignment]
            number = key.fd
            received = connection.recv(65536)
            if not received:
                raise ConnectionError("The server closed a connection.")
            answer = answers[number] = answers[number] + received
            if _complete(answer):
                load.latencies.append(clock() - sent_at[number])
                load.statuses[int(answer[9:12])] += 1
                free.append(connection)
    load.seconds = clock() - started
    for connection in free:
        connection.close()
    return load


def _complete(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    start = head.lower().find(b"content-length:")
    if start < 0:
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(head[start + 15 :].split(b"\r\n", 1)[0])


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
