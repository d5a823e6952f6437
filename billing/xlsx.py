"""An Excel file that is sent while its rows are read: the sheets first, then what tells of them.

The format is ECMA-376: part 1 the sheets (SpreadsheetML), part 2 the archive. A library writes the
archive when it knows all of it, so that a reader waits for the last row, and takes long for a row.
"""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from string import ascii_uppercase
from zipfile import ZIP_DEFLATED, ZipFile

from billing.exports import Column, Export, Kind, Row

#: How many rows a sheet of Excel holds, its header among them.
SHEET_ROWS = 1_048_576
# A larger part of the archive would have to say so before it begins (ZIP64).
_SHEET_BYTES = 1 << 30
# Excel keeps 15 digits of a number. An amount that has more is written as text.
_MAX_DIGITS = 15
# What a cell holds, and how wide a column gets, in characters.
_MAX_TEXT = 32_767
_MAX_WIDTH = 48

# Excel's times are days since then.
_EPOCH, _DAY = datetime(1899, 12, 30), timedelta(days=1)  # noqa: DTZ001
# XML does not hold these, or not as they are: ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

CONTENT_TYPE = f"{_TYPE}.sheet"

_EMPTY = "<c/>"
_BOLD = 1


def stream(export: Export) -> Iterator[bytes]:
    """Texts as texts, times as Excel's, amounts as numbers with the decimals of their currency.

    More rows than a sheet holds go on in the next sheet.
    """
    sent, formats, sheets = _Sent(), _Formats(), 0
    with ZipFile(sent, "w", ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr("_rels/.rels", _links([("officeDocument", "xl/workbook.xml")]))
        yield sent.take()
        rows = next(export.chunks, [])
        while rows or not sheets:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w") as sheet:
                size = sheet.write(_head(export.columns, rows))
                count = 1
                while rows and count < SHEET_ROWS and size < _SHEET_BYTES:
                    fitting = rows[: SHEET_ROWS - count]
                    size += sheet.write(_rows(export.columns, fitting, formats))
                    yield sent.take()
                    count += len(fitting)
                    rows = rows[len(fitting) :] or next(export.chunks, [])
                sheet.write(_foot(export.columns, count))
        for name, xml in _parts(sheets, formats).items():
            archive.writestr(name, xml)
    yield sent.take()


class _Sent(io.RawIOBase):
    """What the archive has written since it was last taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes, /) -> int:  # type: ignore[override]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


class _Formats(dict[str, int]):
    """Formats of numbers, each with the number of its style; they are written at the end."""

    def __missing__(self, code: str) -> int:
        self[code] = number = len(self) + _BOLD + 1
        return number


# --- Cells -----------------------------------------------------------------------------------


def _rows(columns: Sequence[Column], rows: Sequence[Row], formats: _Formats) -> bytes:
    of_columns = zip(columns, zip(*rows, strict=True), strict=True)
    cells = [_cells(column.kind, texts, formats) for column, texts in of_columns]
    lines = "</row><row>".join(map("".join, zip(*cells, strict=True)))
    return f"<row>{lines}</row>".encode()


def _cells(kind: Kind, texts: Sequence[str], formats: _Formats) -> list[str]:
    """The cells of a column."""
    if kind is Kind.TEXT:
        return [_text(text) if text else _EMPTY for text in _in_xml(texts)]
    number = _amount if kind is Kind.AMOUNT else _time
    return [number(text, formats) if text else _EMPTY for text in texts]


def _in_xml(texts: Sequence[str]) -> Sequence[str]:
    # Most columns have nothing to be escaped.
    together = "".join(texts)
    plain = together.isprintable() and not any(part in together for part in ("&", "<", ">", "_x"))
    if not plain or max(map(len, texts)) > _MAX_TEXT:
        return [_xml(text) for text in texts]
    return texts


def _text(xml: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{xml}</t></is></c>'


def _xml(text: str) -> str:
    if len(text) > _MAX_TEXT:
        text = f"{text[: _MAX_TEXT - 1]}…"
    text = _NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return escape(text, quote=False)


def _amount(text: str, formats: _Formats) -> str:
    whole, point, decimals = text.partition(".")
    if len(whole.lstrip("-") + decimals) > _MAX_DIGITS:
        return _text(text)
    style = formats[f"#,##0{point}{'0' * len(decimals)}"]
    return f'<c s="{style}"><v>{text}</v></c>'


def _time(text: str, formats: _Formats) -> str:
    # Excel's times have no zone. The offset stands in the format of the cell, so that the hour that
    # comes twice when clocks go back can be told apart.
    style = formats[f'yyyy-mm-dd hh:mm:ss "{text[19:]}"']
    days = (datetime.fromisoformat(text[:19]) - _EPOCH) / _DAY
    return f'<c s="{style}"><v>{days:.9f}</v></c>'


# --- What is around them ---------------------------------------------------------------------


def _head(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """All before the rows. Columns are as wide as the first ``rows`` need."""
    names = [column.name for column in columns]
    # Beside a name is the arrow of the filter.
    together = zip(*rows, [f"{name}  " for name in names], strict=True)
    longest = [max(map(len, texts)) for texts in together]
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{min(width, _MAX_WIDTH) + 2}" customWidth="1"/>'
        for at, width in enumerate(longest, 1)
    )
    header = "".join(f'<c s="{_BOLD}" t="inlineStr"><is><t>{name}</t></is></c>' for name in names)
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{widths}</cols><sheetData><row>{header}</row>"
    ).encode()


def _foot(columns: Sequence[Column], rows: int) -> bytes:
    last = ascii_uppercase[len(columns) - 1]
    return f'</sheetData><autoFilter ref="A1:{last}{rows}"/></worksheet>'.encode()


def _parts(sheets: int, formats: _Formats) -> dict[str, str]:
    """What tells of so many sheets, by name."""
    names = [f"sheet{number}" for number in range(1, sheets + 1)]
    listed = "".join(
        f'<sheet name="{name.capitalize()}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, 1)
    )
    types = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{_TYPE}.{kind}+xml"/>'
        for part, kind in [
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            *((f"worksheets/{name}", "worksheet") for name in names),
        ]
    )
    return {
        "xl/styles.xml": _styles(formats),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
        f"<bookViews><workbookView/></bookViews><sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _links(
            [
                *(("worksheet", f"worksheets/{name}.xml") for name in names),
                ("styles", "styles.xml"),
            ]
        ),
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{types}</Types>",
    }


def _links(targets: Sequence[tuple[str, str]]) -> str:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_LINKS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'


def _styles(formats: _Formats) -> str:
    """Style 0 is plain, 1 bold, the others are those of ``formats``."""
    # Below 164 are Excel's own.
    codes = "".join(
        f'<numFmt numFmtId="{163 + number}" formatCode="{escape(code)}"/>'
        for code, number in formats.items()
    )
    styles = "".join(
        f'<xf numFmtId="{163 + number}" applyNumberFormat="1"/>' for number in formats.values()
    )
    font = '<sz val="11"/><name val="Calibri"/>'
    return (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="{len(formats)}">{codes}</numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="{len(formats) + 2}"><xf/><xf fontId="1" applyFont="1"/>{styles}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )
