"""Refunds and disputes: the rows behind two figures of the cards."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.filters import DisputeFilter, RefundFilter
from billing.models import Dispute, Refund
from billing.queries.totals import totals
from tests.factories import (
    NOON,
    make_dispute,
    make_invoice,
    make_payment,
    make_refund,
    make_tenant,
)

pytestmark = pytest.mark.django_db

REFUNDS = "/admin/payments/refunds/"
DISPUTES = "/admin/payments/disputes/"


def found_refunds(query: str) -> set[str]:
    return {
        refund.ref for refund in RefundFilter(QueryDict(query), totals()).rows.first(100, ["-id"])
    }


def found_disputes(query: str) -> set[str]:
    return {
        dispute.ref
        for dispute in DisputeFilter(QueryDict(query), totals()).rows.first(100, ["-id"])
    }


def exported(client: Client, path: str) -> list[dict[str, str]]:
    response = client.get(path)
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(response).decode(), newline="")))


class TestTheFiguresOfTheCards:
    """Each figure is the sum of the rows that its link shows, whatever else stands there."""

    @pytest.fixture(autouse=True)
    def rows(self, db: None) -> None:
        for status in Refund.Status.values:
            for currency, exponent in (("USD", 2), ("JPY", 0), ("KWD", 3)):
                for amount in (1, 250, 99_999):
                    make_refund(
                        status=status, currency=currency, exponent=exponent, amount_minor=amount
                    )
        for status in Dispute.Status.values:
            for currency, counted in (("USD", 0), ("USD", 700), ("EUR", 9)):
                make_dispute(status=status, currency=currency, counted_minor=counted)

    @pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
    def test_refunded(self, staff: Client, currency: str) -> None:
        figure = staff.get("/admin/payments/totals.json").json()["currencies"][currency]
        query = f"status=succeeded&currency={currency}"
        rows = exported(staff, f"{REFUNDS}export.csv?{query}")

        assert figure["refunded"] == str(sum(Decimal(row["amount"]) for row in rows))
        assert {row["refund_id"] for row in rows} == found_refunds(query)
        assert len(rows) == 3

    @pytest.mark.parametrize("currency", ["USD", "EUR"])
    def test_disputed(self, staff: Client, currency: str) -> None:
        figure = staff.get("/admin/payments/totals.json").json()["currencies"][currency]
        query = f"counted=1&currency={currency}"
        rows = exported(staff, f"{DISPUTES}export.csv?{query}")

        assert figure["disputed"] == str(sum(Decimal(row["counted"]) for row in rows))
        assert {row["dispute_id"] for row in rows} == found_disputes(query)
        assert len(rows) == len(Dispute.Status.values)


class TestFilters:
    def test_each_alone_and_repeated(self) -> None:
        acme, globex = make_tenant("Acme", key="acme"), make_tenant("Globex", key="globex")
        make_refund(ref="a", tenant=acme, currency="EUR", status="failed")
        make_refund(ref="b", tenant=globex, gateway="paypal", created_at=NOON + timedelta(days=1))
        make_refund(ref="c", currency="JPY", exponent=0, status="pending")

        assert found_refunds("") == {"a", "b", "c"}
        assert found_refunds("status=failed&status=pending") == {"a", "c"}
        assert found_refunds("currency=EUR&currency=USD") == {"a", "b"}
        assert found_refunds("gateway=paypal") == {"b"}
        assert found_refunds("tenant=acme&tenant=globex") == {"a", "b"}
        assert found_refunds("date_from=2026-03-02") == {"b"}
        assert found_refunds("currency=CHF") == set()

    def test_disputes_that_count(self) -> None:
        make_dispute(ref="a", counted_minor=1)
        make_dispute(ref="b", status="won")

        assert found_disputes("") == {"a", "b"}
        assert found_disputes("counted=1") == {"a"}
        assert found_disputes("status=won") == {"b"}

    @pytest.mark.parametrize("query", ["currency=usd", "currency=XX1", "status=lost"])
    def test_a_value_that_is_none_has_a_message_and_no_file(
        self, staff: Client, query: str
    ) -> None:
        make_refund(ref="re_kept")
        message = f"“{query.split('=')[1]}” is not one of the choices."

        assert message in staff.get(f"{REFUNDS}?{query}").text
        assert "re_kept" in staff.get(f"{REFUNDS}?{query}").text
        assert message in staff.get(f"{REFUNDS}export.csv?{query}").text
        assert staff.get(f"{REFUNDS}export.csv?{query}").status_code == 400

    def test_search(self) -> None:
        make_invoice(ref="in_1", number="N-1", customer_ref="cus_1", subscription_ref="sub_1")
        make_payment(ref="pi_1", invoice_ref="in_1")
        make_payment(ref="ch_1", intent_ref="pi_1")
        for make in (make_refund, make_dispute):
            make(ref="by-charge", payment_ref="ch_1")
            make(ref="by-intent", payment_ref="pi_1")
            make(ref="by-tenant", tenant=make_tenant("Acme Robotics"))
            make(ref="other", payment_ref="ch_11")
            make(ref="of-paypal", payment_ref="ch_1", gateway="paypal")
        make_refund(ref="by-invoice", invoice_ref="in_1")

        paid = {"by-charge", "by-intent"}
        for term in ("N-1", "in_1", "cus_1", "sub_1"):
            assert found_refunds(f"q={term}") == paid | {"by-invoice"}, term
            assert found_disputes(f"q={term}") == paid, term
        for found in (found_refunds, found_disputes):
            assert found("q=robot") == {"by-tenant"}
            assert found("q=of-paypal") == {"of-paypal"}
            assert found("q=nobody") == set()
        assert found_refunds("q=pi_1") == paid | {"by-invoice"}
        assert found_refunds("q=ch_1") == paid | {"by-invoice", "of-paypal"}
        assert found_disputes("q=pi_1") == paid
        assert found_disputes("q=ch_1") == paid | {"of-paypal"}

    @pytest.mark.parametrize(
        ("query", "index"),
        [
            ("", "page"),
            ("tenant=acme", "page_tenant"),
            ("status=lost", "page_status"),
            ("currency=EUR", "page_currency"),
            ("gateway=paypal", "page_gateway"),
            ("date_from=2026-03-01&date_to=2026-03-02", "page"),
        ],
    )
    def test_an_index_gives_the_disputes_in_order(self, query: str, index: str) -> None:
        make_tenant("Acme", key="acme")

        plan = plan_of(DisputeFilter(QueryDict(query), totals()).qs)

        assert f"dispute_{index} " in plan
        assert "Sort" not in plan

    def test_an_index_gives_the_disputes_that_count(self) -> None:
        plan = plan_of(DisputeFilter(QueryDict("counted=1"), totals()).qs)

        assert "dispute_page_counted " in plan
        assert "Sort" not in plan


def plan_of(queryset: QuerySet[Any]) -> str:
    """How PostgreSQL would read a page if the table were large."""
    ordered = queryset.select_related(None).order_by("-created_at", "-id")[:25]
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return ordered.explain()


class TestPages:
    def test_a_refund_with_its_invoice(self, staff: Client) -> None:
        make_invoice(ref="in_1", number="N-1")
        make_payment(ref="ch_1", invoice_ref="in_1")
        tenant = make_tenant("Globex GmbH")
        make_refund(
            ref="re_1",
            payment_ref="ch_1",
            tenant=tenant,
            currency="KWD",
            exponent=3,
            amount_minor=1_500,
            status="failed",
        )

        text = staff.get(REFUNDS).text

        assert 'href="/admin/payments/invoices/stripe/in_1/" title="in_1">N-1</a>' in text
        assert '<span class="amt">1.500</span><span class="cur">KWD</span>' in text
        for shown in ("Refund ID", 'title="re_1"', "Globex GmbH", "Failed", "Date (UTC)"):
            assert shown in text, shown

    def test_a_dispute_with_what_it_took(self, staff: Client) -> None:
        make_dispute(ref="dp_1", amount_minor=2_000, counted_minor=750, status="open")
        make_dispute(ref="dp_2", amount_minor=2_000, status="won")

        won, open_ = staff.get(DISPUTES).text.split('<tbody class="row"')[1:]

        assert "$20.00" in open_
        assert '<td class="c-cnt num" data-label="Counted">$7.50</td>' in open_
        assert "Open" in open_
        assert '<td class="c-cnt num" data-label="Counted"><span class="sub">—</span></td>' in won
        assert '<td class="c-inv"><span class="sub">—</span></td>' in won

    @pytest.mark.parametrize(("path", "title"), [(REFUNDS, "Refunds"), (DISPUTES, "Disputes")])
    def test_a_third_tab_while_one_is_there(self, staff: Client, path: str, title: str) -> None:
        def tabs(path: str) -> list[tuple[str, bool]]:
            return [(tab.title, tab.current) for tab in staff.get(path).context["tabs"]]

        two = [("Payment events", False), ("Invoices", False)]
        assert tabs(path) == [*two, (title, True)]
        assert tabs("/admin/payments/invoices/") == [two[0], ("Invoices", True)]

    def test_nothing_yet_is_not_no_match(self, staff: Client) -> None:
        assert "No refunds yet" in staff.get(REFUNDS).text
        assert "No disputes match these filters" in staff.get(f"{DISPUTES}?status=won").text

    @pytest.mark.parametrize("path", [REFUNDS, DISPUTES])
    def test_pages_cost_the_same_however_many_rows(
        self, staff: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(60):
            make_invoice(ref=f"in_{n}")
            make_payment(ref=f"pi_{n}", invoice_ref=f"in_{n}")
            make_payment(ref=f"ch_{n}", intent_ref=f"pi_{n}")
            make_refund(payment_ref=f"ch_{n}")
            make_dispute(payment_ref=f"ch_{n}")

        for size in (25, 50):
            # Who asks (three); what the filters offer, the rows, what stands around them.
            with django_assert_num_queries(6):
                assert staff.get(f"{path}?per_page={size}").text.count('class="inv-no"') == size


class TestExports:
    def test_refunds(self, staff: Client) -> None:
        make_invoice(ref="in_1", number="N-1")
        refund = make_refund(ref="re_1", invoice_ref="in_1", payment_ref="ch_1")

        assert exported(staff, f"{REFUNDS}export.csv") == [
            {
                "refund_id": "re_1",
                "invoice_number": "N-1",
                "gateway_invoice_id": "in_1",
                "tenant": "",
                "gateway": "stripe",
                "payment": "ch_1",
                "currency": "USD",
                "amount": "5.00",
                "status": "succeeded",
                "created_at": refund.created_at.isoformat(),
            }
        ]

    def test_disputes(self, staff: Client) -> None:
        make_dispute(ref="=dp", tenant=make_tenant("Acme"), counted_minor=5, gateway_status="lost")

        (row,) = exported(staff, f"{DISPUTES}export.csv")

        assert row["dispute_id"] == "'=dp"
        assert (row["tenant"], row["amount"], row["counted"]) == ("Acme", "20.00", "0.05")
        assert (row["status"], row["gateway_status"]) == ("open", "lost")
