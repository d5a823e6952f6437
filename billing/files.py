"""An export as a file to download: a million rows take no more memory than a thousand."""

import csv
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import IO

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from xlsxwriter.format import Format

from billing.exports import Cell, Export, Row
from billing.money import Money
from billing.zone import operator_zone, today

# A spreadsheet takes a cell of a CSV file that begins so for a formula, and would run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

#: How many rows a sheet of Excel holds, its header among them.
SHEET_ROWS = 1_048_576
# Excel keeps 15 digits of a number. An amount that has more is written as text.
_MAX_NUMBER = 10**15 - 1
# What a cell holds, and how wide a column gets, in characters.
_MAX_TEXT = 32_767
_MAX_WIDTH = 48


# --- CSV -------------------------------------------------------------------------------------


def as_csv(export: Export) -> HttpResponseBase:
    """Sent while it is read. Times are ISO 8601 with the offset of the operators' zone."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield writer.writerow(export.columns)
        for chunk in export.chunks:
            yield "".join(writer.writerow(map(_csv_text, row)) for row in chunk)

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{_file_name(export, "csv")}"'},
    )


class _Echo:
    """A file for `csv.writer` that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _csv_text(cell: Cell) -> str:
    match cell:
        case None | "":
            return ""
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell
        case Money():
            return str(cell)
        case datetime():
            return cell.astimezone(operator_zone()).isoformat(timespec="seconds")


# --- XLSX ------------------------------------------------------------------------------------


def as_xlsx(export: Export) -> HttpResponseBase:
    """Written to a temporary file first, for an Excel file's table of contents is at its end."""
    with ExitStack() as on_failure:
        file = on_failure.enter_context(tempfile.TemporaryFile())
        write_xlsx(export, file)
        on_failure.pop_all()
    file.seek(0)
    # The response closes the file, and with that the file is gone.
    return FileResponse(
        file,
        as_attachment=True,
        filename=_file_name(export, "xlsx"),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def write_xlsx(export: Export, file: IO[bytes]) -> None:
    """Strings as strings, times as Excel's, amounts as numbers of the currency's decimals.

    More rows than a sheet holds go on in the next sheet.
    """
    with (
        tempfile.TemporaryDirectory(prefix="export-") as directory,
        xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": directory}) as book,
    ):
        book.use_zip64()
        writer = _XlsxWriter(book, export)
        for chunk in export.chunks:
            for row in chunk:
                writer.write(row)
        writer.finish_sheet()


class _XlsxWriter:
    def __init__(self, book: xlsxwriter.Workbook, export: Export) -> None:
        self._book = book
        self._export = export
        self._zone = operator_zone()
        self._bold = book.add_format({"bold": True})
        self._formats: dict[str, Format] = {}
        self._begin_sheet()

    def write(self, row: Row) -> None:
        if self._rows == SHEET_ROWS:
            self.finish_sheet()
            self._begin_sheet()
        for column, cell in enumerate(row):
            if cell is None or cell == "":
                continue
            self._widths[column] = max(self._widths[column], self._write(column, cell))
        self._rows += 1

    def finish_sheet(self) -> None:
        self._sheet.autofilter(0, 0, self._rows - 1, len(self._widths) - 1)
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, min(width, _MAX_WIDTH) + 2)

    def _begin_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._rows = 1
        # Room for the arrow of the filter, too.
        self._widths = [len(name) + 2 for name in self._export.columns]
        for column, name in enumerate(self._export.columns):
            self._sheet.write_string(0, column, name, self._bold)

    def _write(self, column: int, cell: str | Money | datetime) -> int:
        """Write a cell of the row that is being written, and say how many characters it has."""
        match cell:
            case str():
                return self._write_text(column, cell)
            case Money():
                return self._write_amount(column, cell)
            case datetime():
                return self._write_time(column, cell)

    def _write_text(self, column: int, text: str) -> int:
        if len(text) > _MAX_TEXT:
            text = f"{text[: _MAX_TEXT - 1]}…"
        if text.startswith("<r>"):
            # The library would take it for marked-up text, and write it into the file as it is.
            text = f"\u200b{text}"
        self._sheet.write_string(self._rows, column, text)
        return len(text)

    def _write_amount(self, column: int, money: Money) -> int:
        if abs(money.minor) > _MAX_NUMBER:
            return self._write_text(column, str(money))
        decimals = f".{'0' * money.exponent}" if money.exponent else ""
        # A Decimal: the library writes its digits as they are, and a float's as it rounded them.
        self._sheet.write_number(self._rows, column, money.major, self._format(f"#,##0{decimals}"))
        return len(f"{money.major:,f}")

    def _write_time(self, column: int, at: datetime) -> int:
        # Excel's times have no zone. The offset stands in the format of the cell, so that the hour
        # that comes twice when clocks go back can be told apart.
        local = at.astimezone(self._zone).replace(microsecond=0)
        text = local.isoformat(" ")
        form = self._format(f'yyyy-mm-dd hh:mm:ss "{text[19:]}"')
        self._sheet.write_datetime(self._rows, column, local.replace(tzinfo=None), form)
        return len(text)

    def _format(self, number_format: str) -> Format:
        if number_format not in self._formats:
            self._formats[number_format] = self._book.add_format({"num_format": number_format})
        return self._formats[number_format]


def _file_name(export: Export, extension: str) -> str:
    return f"{export.name}-{today()}.{extension}"


FORMATS: dict[str, Callable[[Export], HttpResponseBase]] = {"csv": as_csv, "xlsx": as_xlsx}
