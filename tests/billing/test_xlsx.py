"""The exports as Excel files, read back as Excel would."""

import csv
import io
import tempfile
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from billing import files
from billing.exports import Column, Export, Kind, Row
from tests.factories import (
    make_dispute,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_tenant,
)

LISTS = ["events", "invoices", "refunds", "disputes"]


def read(content: bytes) -> Sequence[Any]:
    return load_workbook(io.BytesIO(content)).worksheets


def content_of(export: Export) -> bytes:
    file = io.BytesIO()
    files.write_xlsx(export, file)
    return file.getvalue()


def some(*rows: Row) -> Export:
    return Export("some", [Column(f"c{n}", "") for n in range(len(rows[0]))], iter([rows]))


def one(text: str, kind: Kind) -> bytes:
    return content_of(Export("one", [Column("c0", "", kind)], iter([[[text]]])))


def cell_of(text: str, kind: Kind = Kind.TEXT) -> Any:
    return read(one(text, kind))[0]["A2"]


def sheet_xml(text: str, kind: Kind = Kind.TEXT) -> str:
    with zipfile.ZipFile(io.BytesIO(one(text, kind))) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.django_db
class TestDownload:
    @pytest.mark.parametrize("name", LISTS)
    def test_same_rows_and_columns_as_the_csv(self, staff: Client, name: str) -> None:
        tenant = make_tenant("Acme")
        invoice = make_invoice(ref="in_1", tax_minor=None)
        make_payment(ref="ch_1", invoice_ref=invoice.ref)
        for gateway in ("stripe", "paypal", "stripe"):
            make_event(gateway=gateway, payment_ref="ch_1", reason="because")
            make_invoice(gateway=gateway, tenant=tenant)
            make_refund(gateway=gateway, payment_ref="ch_1")
            make_dispute(gateway=gateway, payment_ref="ch_1", counted_minor=7)
        address = f"/admin/payments/{name}/export"
        query = "?gateway=stripe&sort=date"

        text = b"".join(staff.get(f"{address}.csv{query}")).decode()
        header, *expected = csv.reader(io.StringIO(text, newline=""))
        (sheet,) = read(b"".join(staff.get(f"{address}.xlsx{query}")))

        def as_in_csv(value: object, decimals: int) -> str:
            if isinstance(value, datetime):
                return value.replace(tzinfo=UTC).isoformat()
            return f"{value:.{decimals}f}" if isinstance(value, int | float) else str(value or "")

        found = [[as_in_csv(cell.value, 2) for cell in row] for row in sheet.rows]
        assert found[0] == header
        assert found[1:] == expected
        assert len(expected) >= 2

    def test_response(self, staff: Client) -> None:
        response = staff.get("/admin/payments/invoices/export.xlsx")

        assert response["Content-Type"].startswith("application/vnd.openxmlformats-officedocument")
        assert response["Content-Disposition"].startswith('attachment; filename="invoices-20')
        assert response["Content-Disposition"].endswith('.xlsx"')
        assert int(response["Content-Length"]) == len(b"".join(response))

    @pytest.mark.parametrize("name", LISTS)
    def test_a_filter_that_is_not_valid_gives_no_file(self, staff: Client, name: str) -> None:
        response = staff.get(f"/admin/payments/{name}/export.xlsx?gateway=strip")

        assert response.status_code == 400
        assert response.text == "Gateway: “strip” is not one of the choices."

    def test_no_other_kind_of_file(self, staff: Client) -> None:
        assert staff.get("/admin/payments/events/export.ods").status_code == 404

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_a_script_is_told_that_the_download_begins(self, staff: Client, kind: str) -> None:
        address = f"/admin/payments/events/export.{kind}"

        def cookies(**query: str) -> SimpleCookie:
            response = staff.get(address, query)
            b"".join(response)
            return response.cookies

        cookie = cookies(download="a1")["download-a1"]
        assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("1", "Strict", "")
        for token in ("", "A;x", "a" * 33, "a b", "٣"):
            assert not cookies(download=token)
        assert not cookies(download="a1", gateway="strip")


class TestCells:
    @pytest.mark.parametrize(
        "text",
        [
            *("=1+1", "+1", "-1", "@SUM(1)", "{=1}", "\t=1", "＝1"),
            *("http://example.com/", "mailto:a@b.c", "internal:Sheet1!A1", "external:c.xlsx"),
            *("123", "1e5", "TRUE", "<b>&</b>", " edges ", "株式会社 🎉", "line\nline"),
        ],
    )
    def test_text_is_text_as_it_is(self, text: str) -> None:
        cell = cell_of(text)

        assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)

    def test_no_markup_comes_in_by_a_name(self) -> None:
        """XlsxWriter writes what begins and ends so into the file as it is."""
        evil = "<r></is></c><c><f>1+1</f></c><c><is></r>"

        assert "<f>" not in sheet_xml(evil)
        assert cell_of(evil).value == f"\u200b{evil}"

    def test_a_text_that_no_cell_holds_is_cut_and_says_so(self) -> None:
        value = cell_of("x" * 40_000).value

        assert len(value) == 32_767
        assert value.endswith("x…")

    @pytest.mark.parametrize(
        ("digits", "shown_as"),
        [
            ("1234.50", "#,##0.00"),
            ("-5.00", "#,##0.00"),
            ("5000", "#,##0"),
            ("1234.500", "#,##0.000"),
            ("0.10", "#,##0.00"),
            ("9999999999999.99", "#,##0.00"),
            # A float's digits would be 9007199254740.971 here.
            ("9007199254740.97", "#,##0.00"),
        ],
    )
    def test_an_amount_is_a_number_of_its_own_digits(self, digits: str, shown_as: str) -> None:
        assert f"<v>{digits}</v>" in sheet_xml(digits, Kind.AMOUNT)
        cell = cell_of(digits, Kind.AMOUNT)
        assert (cell.value, cell.number_format) == (float(digits), shown_as)

    def test_an_amount_that_no_number_of_excel_holds_is_text(self) -> None:
        assert cell_of("-10000000000000.00", Kind.AMOUNT).value == "-10000000000000.00"

    def test_a_time_is_the_operators_and_shows_its_offset(self) -> None:
        cells = [
            cell_of(f"2026-10-25T02:30:15{offset}", Kind.TIME) for offset in ("+02:00", "+01:00")
        ]

        assert [cell.value.isoformat() for cell in cells] == ["2026-10-25T02:30:15"] * 2
        assert [cell.number_format for cell in cells] == [
            f'yyyy-mm-dd hh:mm:ss "{offset}"' for offset in ("+02:00", "+01:00")
        ]

    @pytest.mark.parametrize("kind", Kind)
    def test_nothing_is_an_empty_cell(self, kind: Kind) -> None:
        assert cell_of("", kind).value is None


class TestSheets:
    def test_header_stays_and_filters(self) -> None:
        (sheet,) = read(content_of(some(["a", "long " * 5], ["b", ""])))

        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == "A1:B3"
        assert [cell.font.bold for cell in sheet[1]] == [True, True]
        assert sheet.column_dimensions["B"].width > 25 > sheet.column_dimensions["A"].width

    def test_more_rows_than_a_sheet_holds_go_on_in_the_next(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "SHEET_ROWS", 4)

        rows: list[Row] = [[f"row {n}"] for n in range(7)]

        sheets = read(content_of(some(*rows)))

        assert [[cell.value for cell in sheet["A"]] for sheet in sheets] == [
            ["c0", "row 0", "row 1", "row 2"],
            ["c0", "row 3", "row 4", "row 5"],
            ["c0", "row 6"],
        ]
        assert [sheet.auto_filter.ref for sheet in sheets] == ["A1:A4", "A1:A4", "A1:A2"]

    def test_no_rows_give_the_header(self) -> None:
        (sheet,) = read(content_of(Export("none", [Column("a", ""), Column("b", "")], iter([]))))

        assert [[cell.value for cell in row] for row in sheet.rows] == [["a", "b"]]


def many(count: int) -> Export:
    columns = [Column(kind.name, "", kind) for kind in Kind]
    row = ["name", "1.00", "2026-03-01T12:00:00+00:00"]
    return Export("many", columns, ([row] * 500 for _ in range(count // 500)))


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        with tempfile.TemporaryFile() as file:
            files.write_xlsx(many(count), file)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak(500)  # what is loaded once

    assert peak(5_000) < 1.2 * peak(500)


class TestTemporaryFiles:
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        return tmp_path

    @pytest.mark.django_db
    def test_none_stays_after_a_download(self, staff: Client, directory: Path) -> None:
        make_event()
        response = staff.get("/admin/payments/events/export.xlsx")
        response.close()

        assert list(directory.iterdir()) == []

    def test_none_stays_when_reading_fails(self, directory: Path) -> None:
        seen: list[Path] = []

        def chunks() -> Iterator[list[Row]]:
            yield [["row"]]
            seen.extend(directory.iterdir())
            raise RuntimeError("the database is away")

        with pytest.raises(RuntimeError, match="the database is away"):
            files.as_xlsx(Export("some", [Column("a", "")], chunks()))

        assert seen
        assert list(directory.iterdir()) == []
