"""What the search field finds, by every kind of id, on every list."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.filters import DisputeFilter, EventFilter, InvoiceFilter, RefundFilter
from billing.pagination import Place, paginate
from billing.queries import search, tenants
from billing.queries.totals import totals
from tests.factories import (
    NOON,
    make_credit_note,
    make_dispute,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_tenant,
)

pytestmark = pytest.mark.django_db


def found(term: str) -> dict[str, set[str]]:
    """The names of the rows that ``term`` finds, by list."""
    query, figures = QueryDict(mutable=True), totals()
    query["q"] = term
    lists = {
        "events": EventFilter(query),
        "invoices": InvoiceFilter(query, figures),
        "refunds": RefundFilter(query, figures),
        "disputes": DisputeFilter(query, figures),
    }
    return {
        name: {str(row) for row in filters.rows.first(100, ["-id"])}
        for name, filters in lists.items()
    }


class TestStripe:
    """One invoice, paid by the charge of a payment intent, partly refunded and disputed."""

    @pytest.fixture(autouse=True)
    def story(self) -> None:
        mine = {"tenant": make_tenant("Globex GmbH", key="t_77")}
        make_invoice(
            ref="in_1", number="INV-1", customer_ref="cus_1", subscription_ref="sub_1", **mine
        )
        make_payment(ref="pi_1", invoice_ref="in_1")
        make_payment(ref="ch_1", intent_ref="pi_1")
        make_refund(ref="re_1", payment_ref="ch_1", **mine)
        make_refund(ref="re_2", payment_ref="pi_1", **mine)
        make_dispute(ref="dp_1", payment_ref="ch_1", **mine)
        make_credit_note(ref="cn_1", number="CN-1", invoice_ref="in_1")
        make_event(event_id="evt_invoice", invoice_ref="in_1", customer_ref="cus_1", **mine)
        make_event(event_id="evt_intent", payment_ref="pi_1", customer_ref="cus_1", **mine)
        make_event(event_id="evt_charge", payment_ref="ch_1", customer_ref="cus_1", **mine)
        make_event(event_id="evt_subscription", subscription_ref="sub_1", **mine)
        # Another story, with ids that begin or end alike.
        make_invoice(ref="in_11", number="INV-11", customer_ref="cus_11", subscription_ref="sub_11")
        make_payment(ref="ch_11", intent_ref="pi_11", invoice_ref="in_11")
        make_refund(ref="re_11", payment_ref="ch_11")
        make_dispute(ref="dp_11", payment_ref="ch_11")
        make_event(event_id="evt_11", payment_ref="ch_11", invoice_ref="in_11")

    @pytest.mark.parametrize("term", ["INV-1", "in_1", "pi_1", "ch_1", "cn_1", "CN-1"])
    def test_an_invoice_and_what_paid_it_find_all_about_it(self, term: str) -> None:
        assert found(term) == {
            "events": {"evt_invoice", "evt_intent", "evt_charge"},
            "invoices": {"in_1"},
            "refunds": {"re_1", "re_2"},
            "disputes": {"dp_1"},
        }

    @pytest.mark.parametrize("term", ["re_1", "re_2", "dp_1"])
    def test_a_refund_or_dispute_finds_itself_and_what_it_is_about(self, term: str) -> None:
        result = found(term)

        assert result["events"] == {"evt_invoice", "evt_intent", "evt_charge"}
        assert result["invoices"] == {"in_1"}
        assert result["refunds"] == ({term} if term.startswith("re") else {"re_1", "re_2"})
        assert result["disputes"] == {"dp_1"}

    @pytest.mark.parametrize("term", ["evt_invoice", "evt_intent", "evt_charge"])
    def test_an_event_finds_itself_and_what_it_is_about(self, term: str) -> None:
        assert found(term) == {
            "events": {term},
            "invoices": {"in_1"},
            "refunds": {"re_1", "re_2"},
            "disputes": {"dp_1"},
        }

    @pytest.mark.parametrize(
        ("term", "events"),
        [
            ("cus_1", {"evt_invoice", "evt_intent", "evt_charge"}),
            ("sub_1", {"evt_invoice", "evt_intent", "evt_charge", "evt_subscription"}),
        ],
    )
    def test_customer_and_subscription(self, term: str, events: set[str]) -> None:
        assert found(term) == {
            "events": events,
            "invoices": {"in_1"},
            "refunds": {"re_1", "re_2"},
            "disputes": {"dp_1"},
        }

    @pytest.mark.parametrize("term", ["Globex", "bex gm", "GLOBEX", "t_77", "T_7"])
    def test_any_part_of_a_tenant(self, term: str) -> None:
        assert found(term) == {
            "events": {"evt_invoice", "evt_intent", "evt_charge", "evt_subscription"},
            "invoices": {"in_1"},
            "refunds": {"re_1", "re_2"},
            "disputes": {"dp_1"},
        }

    # The wildcards of LIKE are characters like others.
    @pytest.mark.parametrize("term", ["INV-", "in_", "nobody", "%", "_n_", "xglobe", "GlobexGmbH"])
    def test_nothing(self, term: str) -> None:
        assert not any(found(term).values())


class TestPayPal:
    """Two cycles of a subscription, each an invoice of its own; one is refunded and disputed."""

    @pytest.fixture(autouse=True)
    def story(self) -> None:
        of = {"gateway": "paypal"}
        for sale in ("SALE1", "SALE2"):
            make_invoice(ref=sale, number=None, subscription_ref="I-1", customer_ref="PAYER1", **of)
            make_payment(ref=sale, invoice_ref=sale, subscription_ref="I-1", **of)
            make_event(
                event_id=f"WH-{sale}",
                invoice_ref=sale,
                payment_ref=sale,
                subscription_ref="I-1",
                **of,
            )
        make_refund(ref="REFUND1", payment_ref="SALE1", **of)
        make_dispute(ref="PP-D-1", payment_ref="SALE1", **of)
        make_event(event_id="WH-REFUND1", payment_ref="SALE1", **of)
        # The same ids at the other gateway are other objects.
        make_invoice(ref="in_s", customer_ref="PAYER2")
        make_payment(ref="REFUND2", invoice_ref="in_s")

    @pytest.mark.parametrize("term", ["SALE1", "REFUND1", "PP-D-1"])
    def test_one_cycle(self, term: str) -> None:
        assert found(term) == {
            "events": {"WH-SALE1", "WH-REFUND1"},
            "invoices": {"SALE1"},
            "refunds": {"REFUND1"},
            "disputes": {"PP-D-1"},
        }

    def test_an_event(self) -> None:
        assert found("WH-SALE2") == {
            "events": {"WH-SALE2"},
            "invoices": {"SALE2"},
            "refunds": set(),
            "disputes": set(),
        }

    def test_all_of_a_subscription(self) -> None:
        assert found("I-1") == {
            "events": {"WH-SALE1", "WH-SALE2", "WH-REFUND1"},
            "invoices": {"SALE1", "SALE2"},
            "refunds": {"REFUND1"},
            "disputes": {"PP-D-1"},
        }


class TestManyRows:
    def test_pages_of_several_tenants_are_in_one_order_and_have_each_row_once(self) -> None:
        """E8."""
        owners = [make_tenant(f"Acme {n}", key=f"a{n}") for n in range(3)]
        for n in range(70):
            make_event(
                event_id=f"e{n:02}",
                tenant=owners[n % 3],
                # Found by the customer, too.
                customer_ref="acme" if n % 5 == 0 else None,
                received_at=NOON + timedelta(seconds=n),
            )
        make_event(event_id="other", received_at=NOON + timedelta(seconds=30))
        rows = EventFilter(QueryDict("q=acme")).rows

        page = paginate(rows, "received_at", Place())
        seen = [*page.rows]
        while page.after:
            page = paginate(rows, "received_at", Place(after=page.after))
            seen += page.rows

        assert [event.event_id for event in seen] == [f"e{n:02}" for n in reversed(range(70))]
        assert rows.count(1000).value == 70
        assert rows.count(10).value == 10

    def test_one_statement_looks_a_term_up_and_stops(
        self, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        monkeypatch.setattr(search, "TENANTS", 3)
        monkeypatch.setattr(search, "OBJECTS", 5)
        for n in range(9):
            make_tenant(f"Acme {9 - n}")
            make_payment(ref=f"pi_{n}", customer_ref="Acme", invoice_ref=f"in_{n}")

        with django_assert_num_queries(1):
            result = search.look_up("Acme", "invoice").value

        assert len(result.tenants) == 4  # one more, to know that there are more
        assert len(result.invoices) <= 5

    def test_that_more_tenants_match_is_said(self, staff: Client) -> None:
        for n in range(search.TENANTS):
            make_event(event_id=f"evt_{n}", tenant=make_tenant(f"Acme {n:02}"))
        url = "/admin/payments/events/?q=acme"
        assert "More tenants have" not in staff.get(url).text

        make_event(event_id="evt_more", tenant=make_tenant("Acme 99"))

        text = staff.get(url).text
        assert "More tenants have “acme” in their name or id than are searched at once" in text
        assert "evt_0" in text
        assert "evt_more" not in text

    def test_filters_beside_a_name_lead_into_an_index(self) -> None:
        tenant = make_tenant("Acme")
        make_event(event_id="wanted", event_type="invoice.paid", tenant=tenant)
        make_event(event_type="invoice.created", tenant=tenant)
        make_event(event_type="invoice.paid")

        rows = EventFilter(QueryDict("q=acme&event_type=invoice.paid")).rows

        assert list(rows.ways) == ["tenant_id", "event_type", "state", "gateway"]
        assert rows.ways["tenant_id"] == [tenant.pk]
        [found] = paginate(rows, "received_at", Place()).rows
        assert found.event_id == "wanted"
        assert EventFilter(QueryDict("q=nobody&event_type=invoice.paid")).rows.ways == {}

    def test_every_part_of_the_look_up_has_an_index(self) -> None:
        with connection.cursor() as cursor:
            # A table that is read whole all the same has no index that would do.
            cursor.execute("SET LOCAL enable_seqscan = off")
            sql, params = search.statement("Acme", "invoice")
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())

        assert "Seq Scan" not in plan


def test_a_part_that_all_names_have_is_found_by_the_index() -> None:
    """The table is so small that the planner would rather read it."""
    make_tenant("Acme", key="tenant-1")
    make_tenant("Beta", key="tenant-2")

    def scans() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_get_xact_numscans('tenant_pieces'::regclass)")
            return int(cursor.fetchone()[0])

    before = scans()
    assert tenants.search(tenants.tenants(), "tenant").count() == 2
    assert scans() == before + 1


def test_any_script_and_short_terms() -> None:
    make_tenant("株式会社さくら", key="jp")
    make_tenant("Åkerström & Co", key="se")

    def names(term: str) -> list[str]:
        return [tenant.name for tenant in tenants.search(tenants.tenants(), term)]

    assert names("会社") == names("社") == names("さくら") == names("JP") == ["株式会社さくら"]
    assert names("åkers") == names("m & c") == names("&") == ["Åkerström & Co"]
    # All its pieces are there, but not in a row.
    assert names("rstrs") == []
