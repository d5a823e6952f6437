"""How fast the lists are exported over HTTP, and how much memory the server takes for it."""

import http.client
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.memory import Process, megabytes
from bench.report import Table
from bench.servers import Postgres, environment, product, serving, signed_in

#: Per list: its rows, and what orders them.
LISTS = {
    "events": ("billing_paymentevent", "received_at"),
    "invoices": ("billing_invoice WHERE status IN ('paid', 'pending', 'void')", "created_at"),
    "refunds": ("billing_refund", "created_at"),
    "disputes": ("billing_dispute", "created_at"),
}


@dataclass(frozen=True, slots=True)
class Download:
    """Memory of the process that serves it, in bytes: before, at most, and when all was sent."""

    lines: int
    seconds: float
    first_byte_seconds: float
    before: int
    peak: int
    after: int


def measure(postgres: Postgres, name: str, folder: Path, csv: int, xlsx: int) -> Table:
    """Exports of the newest ``csv`` and ``xlsx`` rows or so of the database ``name``."""
    env = environment(postgres.url(name), folder)
    cookie = signed_in(env)
    table = Table(
        "Exports",
        ["", "rows", "rows/s", "first byte ms", "memory before MB", "at most", "after"],
        notes=[
            "As a browser gets them, with gzip. Memory is what the serving process has resident.",
            "Once more: what it reads has been read before, and is in memory if there is room.",
            "An Excel file is written to the disk first: its table of contents stands at its end.",
        ],
    )
    with serving(product(workers=1), env, folder / "exports.log") as port:
        process = Process.serving(port)
        for listed in LISTS:
            few, many = (_newest(postgres, name, listed, rows) for rows in (xlsx, csv))
            # The first connects, and loads what is loaded once.
            rows = _download(port, f"{listed}/export.csv{few}", cookie, process).lines - 1
            for which in ("CSV", "CSV once more"):
                done = _download(port, f"{listed}/export.csv{many}", cookie, process)
                table.rows.append(_row(f"{listed}, {which}", done.lines - 1, done))
            done = _download(port, f"{listed}/export.xlsx{few}", cookie, process)
            table.rows.append(_row(f"{listed}, XLSX", rows, done))
    return table


def _newest(postgres: Postgres, name: str, listed: str, rows: int) -> str:
    """The filter of the days that have the newest rows, at least as many as asked for."""
    table, at = LISTS[listed]
    day = f"SELECT ({at} AT TIME ZONE 'UTC')::date FROM {table}"
    day = postgres.psql(f"{day} ORDER BY {at} DESC OFFSET {rows - 1} LIMIT 1", name).strip()
    return f"?date_from={day}"


def _download(port: int, address: str, cookie: str, process: Process) -> Download:
    before = process.resident()
    process.forget_peak()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    started = time.perf_counter()
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    connection.request("GET", f"/admin/payments/{address}", headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"{address} was answered {response.status}.")
    first = response.read(1)
    first_byte = time.perf_counter() - started
    lines = sum(part.count(b"\n") for part in _unzipped(response, first))
    seconds = time.perf_counter() - started
    connection.close()
    return Download(lines, seconds, first_byte, before, process.peak_resident(), process.resident())


def _unzipped(response: http.client.HTTPResponse, first: bytes) -> Iterator[bytes]:
    unzip = zlib.decompressobj(wbits=31)
    part = first
    while part:
        yield unzip.decompress(part)
        part = response.read(1 << 18)


def _row(name: str, rows: int, done: Download) -> tuple[str, ...]:
    return (
        name,
        f"{rows:,}",
        f"{rows / done.seconds:,.0f}",
        f"{done.first_byte_seconds * 1000:,.0f}",
        *(megabytes(size) for size in (done.before, done.peak, done.after)),
    )
