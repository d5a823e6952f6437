"""How long every page takes with few rows and with many, over HTTP, beside stock ways to list."""

import gzip
import html
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Table
from bench.servers import (
    DROP_CACHES,
    ROOT,
    Postgres,
    environment,
    granian,
    product,
    serving,
    signed_in,
)

STOCK = "bench.stock_site:application"
ROUNDS = 5
#: Rounds for pages that are over a limit: was it the page, or the machine?
ROUNDS_AGAIN = 15
ROUNDS_OF_PEERS = 3
#: How many pages a reader turns, from the first page of a list on.
TURNED = 3
SHOWN = 15

MAX_RATIO, MAX_STATEMENTS = 1.25, 6
MAX_MS, MAX_MS_OF_100 = 50, 90

# Each with nothing in memory.
COLD = (
    "events 25 rows", "events 100 rows middle", "events 25 rows oldest first",
    "events event_type=rare", "events state=rare middle", "events tenant=common middle",
    "events gateway=common event_type=common never together", "events search refund.ref",
    "opened event", "invoices 25 rows", "invoices 25 rows middle",
    "invoices currency=rare tenant=common", "invoices search payment.intent_ref",
    "refunds status=rare", "disputes 25 rows", "tenants 25 rows", "tenant biggest", "trends",
)  # fmt: skip

# Per page of ours, the same rows as others list them. "{}" is the number of the page in the middle.
PEERS = {
    "invoices 25 rows": {
        "Django's admin": "/admin/bench/invoice/",
        "django-tables2, django-filter": "/tables/invoice/",
        "the same with four sums": "/tables/invoice/cards/",
    },
    "invoices 25 rows middle": {
        "Django's admin": "/admin/bench/invoice/?p={}",
        "django-tables2, django-filter": "/tables/invoice/?page={}",
    },
    "events 25 rows": {
        "Django's admin": "/admin/bench/event/",
        "django-tables2, django-filter": "/tables/event/",
    },
    "events 25 rows middle": {
        "Django's admin": "/admin/bench/event/?p={}",
        "django-tables2, django-filter": "/tables/event/?page={}",
    },
}


FILTERS = """Every filter with the value that most rows have, that fewest have and that none has; \
every two filters, also with values that many rows have each and none together; newest and oldest \
first, from the middle on, and further pages; 25, 50 and 100 rows."""
TIMES = f"""Over HTTP, signed in. Medians of {ROUNDS} rounds in which the databases took turns; of \
{ROUNDS_AGAIN} for pages that were over a limit at first."""
RATIOS = """A ratio is to the same page of the small database; where that has fewer rows to show, \
to its list without a filter."""

LISTS = ("events", "invoices", "refunds", "disputes")
#: What others are compared with, however few are measured.
ALWAYS = {
    *COLD,
    *PEERS,
    "tenant menu unknown",
    *(f"{name} {size} rows" for name in (*LISTS, "tenants") for size in (25, 50, 100)),
}


#: How many statements a page has, and which large tables it reads from end to end.
Cost = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """``rows``: how many the page shows. ``next``: the address of the next page, or empty."""

    ms: float
    rows: int
    next: str


class Site:
    """One that is looked at over one connection, by somebody who has signed in."""

    def __init__(self, port: int, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}

    def get(self, address: str) -> Answer:
        started = time.perf_counter()
        try:
            response = self._response(address)
        except ConnectionError:
            # The server closes a connection that nothing comes over for a while.
            self._connection.close()
            started = time.perf_counter()
            response = self._response(address)
        body = response.read()
        ms = (time.perf_counter() - started) * 1000
        if response.status != 200:
            raise RuntimeError(f"{address} was answered {response.status}.")
        if response.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        following = re.search(rb'href="([^"]*)" rel="next"', body)
        base = address.partition("?")[0]
        return Answer(
            ms,
            body.count(b'<tbody class="row'),
            base + html.unescape(following[1].decode()) if following else "",
        )

    def _response(self, address: str) -> http.client.HTTPResponse:
        self._connection.request("GET", address, headers=self._headers)
        return self._connection.getresponse()


@dataclass
class Page:
    """One page with few rows and with many: per database its address, and how long it took."""

    name: str
    addresses: Sequence[str]
    rows: Sequence[int] = (0, 0)
    times: Sequence[list[float]] = field(default_factory=lambda: ([], []))

    @property
    def ms(self) -> tuple[float, float]:
        few, many = self.times
        return median(few), median(many)

    @property
    def max_ms(self) -> int:
        return MAX_MS if max(self.rows) <= 50 else MAX_MS_OF_100

    @property
    def group(self) -> str:
        kind = self.name.split()[0]
        if kind not in LISTS:
            return "all other pages"
        if " search " in self.name:
            return "search by an id or a name"
        filters = self.name.count("=")
        return f"{kind}, {('no filter', 'one filter', 'two filters')[filters]}"


@contextmanager
def _sites(
    server: Sequence[str], postgres: Postgres, names: Sequence[str], folder: Path
) -> Iterator[list[Site]]:
    """One site over each database. A process each: one page is asked at a time."""
    with ExitStack() as running:
        sites = []
        for name in names:
            env = environment(postgres.url(name), folder)
            cookie = signed_in(env)
            port = running.enter_context(serving(server, env, folder / f"pages-{name}.log"))
            sites.append(Site(port, cookie))
        yield sites


def measure(
    postgres: Postgres, folder: Path, few: str, many: str, every: int = 1
) -> Iterator[Table]:
    """Pages over the databases ``few`` and ``many``, and the peers; of all addresses the n-th."""
    names = (few, many)
    rows = [int(postgres.psql("SELECT count(*) FROM billing_invoice", name)) for name in names]
    titles = ["", *(f"ms of {count:,} rows" for count in rows)]
    addresses = [inside(postgres, name, folder, "bench.addresses") for name in names]
    with _sites(product(workers=1), postgres, names, folder) as sites:
        pages = [
            page
            for number, page in enumerate(_pages(sites, addresses))
            if number % every == 0 or page.name in ALWAYS
        ]
        known = {page.name: page for page in pages}
        _time(sites, pages, ROUNDS)
        over = [page for page in pages if _ratio(page, known) > MAX_RATIO or _is_slow(page)]
        for page in over:
            page.times = ([], [])
        _time(sites, over, ROUNDS_AGAIN)
        yield _by_group(pages, known, titles, every)
        yield _slowest(pages, known, titles)
        asked = [page.addresses[1] for page in pages]
        costs = inside(postgres, many, folder, "bench.statements", json.dumps(asked))
        yield _limits(pages, known, costs)
        with _sites(granian(STOCK, workers=1, threads=1), postgres, names, folder) as stock:
            peers = _peers(sites, stock, known, rows)
        yield Table("Pages beside stock ones", [*titles, "ours is"], peers)
        yield _cold(postgres, sites[1], known)


def inside(postgres: Postgres, name: str, folder: Path, module: str, given: str = "") -> Any:
    """What a module of ours prints as JSON, that runs the application on a database."""
    settings = {"DJANGO_SETTINGS_MODULE": "payments_admin.settings"}
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment(postgres.url(name), folder, **settings),
        input=given,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def _pages(sites: Sequence[Site], addresses: Sequence[dict[str, str]]) -> list[Page]:
    """All that the large database has; what the small has no values for is its plain list there."""
    few, many = addresses
    pages = []
    for name, address in many.items():
        if not name.endswith("→"):
            plain = few[f"{name.split()[0]} 25 rows"] if name not in few else ""
            pages.append(Page(name, (few.get(name, plain), address)))
            continue
        turned = [few[name], address]
        for number in range(TURNED):
            turned = [site.get(page).next for site, page in zip(sites, turned, strict=True)]
            if not all(turned):
                break
            pages.append(Page(f"{name.removesuffix('→')}page {number + 2}", turned))
    return pages


def _time(sites: Sequence[Site], pages: Sequence[Page], rounds: int) -> None:
    """Each page in turn with few rows and with many, so that both meet the same machine."""
    for page in pages:
        both = list(zip(sites, page.addresses, strict=True))
        page.rows = [site.get(address).rows for site, address in both]
        for _ in range(rounds):
            for (site, address), times in zip(both, page.times, strict=True):
                times.append(site.get(address).ms)


def _ratio(page: Page, known: dict[str, Page]) -> float:
    """Of many rows to few. Where few have less to show, to their list without a filter."""
    few, many = page.ms
    if page.rows[0] < page.rows[1]:
        size = next(size for size in (25, 50, 100) if page.rows[1] <= size)
        plain = known.get(f"{page.name.split()[0]} {size} rows")
        few = max(few, plain.ms[0]) if plain else few
    return many / few


def _is_slow(page: Page) -> bool:
    return page.ms[1] > page.max_ms


def _row(page: Page, known: dict[str, Page]) -> tuple[str, ...]:
    few, many = page.ms
    return f"`{page.addresses[1]}`", f"{few:.1f}", f"{many:.1f}", f"{_ratio(page, known):.2f}"


def _by_group(
    pages: Sequence[Page], known: dict[str, Page], titles: Sequence[str], every: int
) -> Table:
    groups: dict[str, list[Page]] = {}
    for page in pages:
        groups.setdefault(page.group, []).append(page)
    rows: list[Sequence[str]] = [
        (
            name,
            str(len(group)),
            *(f"{median(page.ms[place] for page in group):.1f}" for place in (0, 1)),
            f"{max(page.ms[1] for page in group):.1f}",
            f"{median(_ratio(page, known) for page in group):.2f}",
            f"{max(_ratio(page, known) for page in group):.2f}",
        )
        for name, group in groups.items()
    ]
    columns = ["", "addresses", *titles[1:], "slowest", "ratio", "highest ratio"]
    notes = [FILTERS, TIMES, RATIOS]
    if every > 1:
        notes.append(f"Of all these only one in {every} here; `make bench-full` measures each.")
    return Table("Pages", columns, rows, notes)


def _slowest(pages: Sequence[Page], known: dict[str, Page], titles: Sequence[str]) -> Table:
    slowest = sorted(pages, key=lambda page: page.ms[1], reverse=True)[:SHOWN]
    rows: list[Sequence[str]] = [_row(page, known) for page in slowest]
    return Table("The slowest pages", [*titles, "ratio"], rows)


def _limits(pages: Sequence[Page], known: dict[str, Page], costs: dict[str, Cost]) -> Table:
    """What the pages may take, and whether they keep to it."""
    ratios = [(_ratio(page, known), page) for page in pages]
    small = [(page.ms[1], page) for page in pages if page.max_ms == MAX_MS]
    large = [(page.ms[1], page) for page in pages if page.max_ms == MAX_MS_OF_100]
    statements = [(costs[page.addresses[1]][0], page) for page in pages]
    scans = [(len(costs[page.addresses[1]][1]), page) for page in pages]
    measured: list[tuple[str, float, Sequence[tuple[float, Page]], str]] = [
        ("many rows to few", MAX_RATIO, ratios, ".2f"),
        ("ms of a page of 25 or 50 rows", MAX_MS, small, ".1f"),
        ("ms of a page of 100 rows", MAX_MS_OF_100, large, ".1f"),
        ("statements, with session and user", MAX_STATEMENTS, statements, "d"),
        ("large tables read from end to end", 0, scans, "d"),
    ]
    rows: list[Sequence[str]] = []
    notes: list[str] = []
    for what, limit, values, form in measured:
        over = sorted((one for one in values if one[0] > limit), key=lambda one: -one[0])
        highest = max(value for value, _page in values)
        rows.append((what, str(limit), f"{highest:{form}}", f"{len(over)} of {len(values)}"))
        notes += [f"{what}: {value:{form}} `{page.addresses[1]}`" for value, page in over[:SHOWN]]
    return Table("Limits of pages", ["", "limit", "highest", "over it"], rows, notes)


def _cold(postgres: Postgres, site: Site, known: dict[str, Page]) -> Table:
    table = Table("Pages of many rows with nothing in memory", ["", "ms"])
    table.notes.append(
        "PostgreSQL is started anew for each, the kernel's page cache empty. A page without rows is"
        " asked for first, so that connecting is not counted."
    )
    if not os.access(DROP_CACHES, os.W_OK):
        table.notes.append(f"Not run: {DROP_CACHES} cannot be written here.")
        return table
    times = []
    for name in COLD:
        postgres.restart_cold()
        site.get(known["tenant menu unknown"].addresses[1])
        address = known[name].addresses[1]
        times.append(site.get(address).ms)
        table.rows.append((f"`{address}`", f"{times[-1]:.0f}"))
    table.rows.append(("median", f"{median(times):.0f}"))
    return table


def _peers(
    sites: Sequence[Site], stock: Sequence[Site], known: dict[str, Page], rows: Sequence[int]
) -> list[Sequence[str]]:
    lines: list[Sequence[str]] = []
    for name, peers in PEERS.items():
        ours = Page(f"this product: {name}", known[name].addresses)
        pages = [ours] + [
            Page(peer, [address.format(count // 25 // 2) for count in rows])
            for peer, address in peers.items()
        ]
        _time(sites, pages[:1], ROUNDS_OF_PEERS)
        _time(stock, pages[1:], ROUNDS_OF_PEERS)
        for page in pages:
            few, many = page.ms
            faster = f"{many / ours.ms[1]:.1f} ×"
            lines.append((page.name, f"{few:.1f}", f"{many:.1f}", faster))
    return lines
