"""The list of tenants, and the pages of one."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.models import Customer, Subscription, Tenant, TenantClaim
from billing.pagination import Page, Place, paginate
from billing.queries import tenants as queries
from billing.queries.lists import Rows
from tests.factories import NOON, make_event, make_invoice, make_refund, make_staff, make_tenant

pytestmark = pytest.mark.django_db

TENANTS = "/admin/payments/tenants/"
# The session, the user, and two for the user's permissions.
LOGIN = 3


def logged_in(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_staff(*permissions))
    return client


def address(tenant: Tenant) -> str:
    return reverse("billing:tenant", args=[tenant.pk])


def make_subscription(tenant: Tenant, ref: str = "sub_1", **values: Any) -> Subscription:
    return Subscription.objects.create(
        **{"gateway": "stripe", "ref": ref, "tenant": tenant, "status": "active"} | values
    )


def make_customer(tenant: Tenant, ref: str = "cus_1", **values: Any) -> Customer:
    return Customer.objects.create(gateway="stripe", ref=ref, tenant=tenant, **values)


def claim(tenant: Tenant, ref: str = "cus_1", **values: Any) -> TenantClaim:
    defaults = {"gateway": "stripe", "kind": "customer", "ref": ref}
    return TenantClaim.objects.create(tenant=tenant, **defaults | values)


def listed(client: Client, query: str = "") -> list[str]:
    return names(client.get(f"{TENANTS}?{query}"))


def names(response: Any) -> list[str]:
    return [row.tenant.name for row in response.context["rows"]]


class TestList:
    def test_by_name_whatever_its_capitals(self, staff: Client) -> None:
        for name in ("Zeta", "acme", "Beta", "Ünal"):
            make_tenant(name)

        assert listed(staff) == ["acme", "Beta", "Zeta", "Ünal"]

    def test_a_row_leads_to_the_page(self, staff: Client) -> None:
        tenant = make_tenant("Acme", key="acme-1")
        for n, status in enumerate(["active", "active", "cancelled", None]):
            make_subscription(tenant, f"sub_{n}", status=status)

        text = staff.get(TENANTS).text
        row = text.split('<tbody class="row"')[1]

        assert f'href="{address(tenant)}"' in row
        assert "acme-1" in row
        assert ">2</td>" in row

    def test_figures_in_the_currency_of_most_invoices(self, staff: Client) -> None:
        acme, other = make_tenant("Acme"), make_tenant("Beta")
        for _ in range(2):
            make_invoice(tenant=acme, currency="EUR", amount_minor=50_000)
        make_invoice(tenant=acme, currency="USD", amount_minor=999_900)
        make_invoice(tenant=acme, currency="EUR", amount_minor=700, status="pending", tax_minor=0)
        make_refund(tenant=acme, currency="EUR", amount_minor=150)
        make_invoice(tenant=other, currency="JPY", exponent=0, amount_minor=1200)
        make_invoice(tenant=None, currency="GBP")

        text = staff.get(TENANTS).text
        row, others_row = text.split('<tbody class="row"')[1:]

        for shown in ("€1,000.00", "€7.00", "€1.50", "+1 more", "4<span"):
            assert shown in row, shown
        assert "$9,999.00" not in row
        assert "¥1,200" in others_row
        assert "more" not in others_row.split("</table>")[0]
        assert "$9,999.00" in staff.get(f"{TENANTS}{acme.pk}/").text

    def test_figures_only_for_who_may_see_invoices(self) -> None:
        make_invoice(tenant=make_tenant("Acme"), amount_minor=98_765)

        text = logged_in("view_tenant").get(TENANTS).text

        assert "Acme" in text
        assert "987.65" not in text
        assert "Revenue" not in text

    @pytest.mark.parametrize(
        ("term", "names"),
        [
            ("glob", ["Globex"]),
            ("GLOBEX", ["Globex"]),
            ("gx-7", ["Globex"]),
            ("e", ["Acme", "Globex"]),
        ],
    )
    def test_search_by_name_or_key(self, staff: Client, term: str, names: list[str]) -> None:
        make_tenant("Acme", key="acme-1")
        make_tenant("Globex", key="gx-7")

        assert listed(staff, f"q={term}") == names

    def test_no_match_is_not_nothing_yet(self, staff: Client) -> None:
        assert "No tenants yet" in staff.get(TENANTS).text
        make_tenant()

        text = staff.get(f"{TENANTS}?q=nobody&per_page=50").text

        assert "No tenant matches" in text
        assert "<b>nobody</b>" in text
        assert 'href="?per_page=50"' in text

    @pytest.mark.parametrize("term", ["x" * 256, "a%00b"])
    def test_a_search_that_cannot_be_is_said_and_left_out(self, staff: Client, term: str) -> None:
        """E6."""
        make_tenant("Acme")

        response = staff.get(f"{TENANTS}?q={term}")

        assert "This filter was left out." in response.text
        assert "Acme" in response.text

    def test_pages_keep_the_search(self, staff: Client) -> None:
        for n in range(60):
            make_tenant(f"Shop {n:02}")
        make_tenant("Other")

        first = staff.get(f"{TENANTS}?q=shop")
        second = staff.get(TENANTS + first.context["next"])

        assert "1–25</b> of <b>60" in first.text
        assert names(second) == [f"Shop {n}" for n in range(25, 50)]
        assert second.context["previous"].startswith("?q=shop&before=")

    def test_events_that_wait_for_a_tenant(self, staff: Client) -> None:
        assert "for a tenant" not in staff.get(TENANTS).text
        make_event(state="unmatched")
        assert "<b>1</b> event waits for a tenant." in staff.get(TENANTS).text
        make_event(state="unmatched")

        text = staff.get(TENANTS).text

        assert "<b>2</b> events wait for a tenant." in text
        assert '/admin/payments/events/?state=unmatched"' in text

    def test_of_events_only_who_may_see_them_learns(self) -> None:
        make_event(state="unmatched")

        assert "for a tenant" not in logged_in("view_tenant").get(TENANTS).text


class TestPages:
    """In the order by name, which many may share, a cursor names its row."""

    def page_at(self, query: str = "") -> Page[Tenant]:
        place = Place.read_rows(QueryDict(query), queries.name_of, newest_first=False)
        return paginate(Rows(queries.tenants()), "by_name", place)

    def test_walking_forward_and_back_visits_each_row_once(self) -> None:
        for n in range(80):
            make_tenant(["acme", "Acme", "Zeta", "ACME"][n % 4])

        pages = [self.page_at()]
        while pages[-1].after:
            pages.append(self.page_at(f"after={pages[-1].after}"))
        back = [pages[-1]]
        while back[-1].before:
            back.append(self.page_at(f"before={back[-1].before}"))

        expected = list(queries.tenants())
        assert [row for page in pages for row in page.rows] == expected
        assert [row for page in reversed(back) for row in page.rows] == expected
        assert [len(page.rows) for page in pages] == [25, 25, 25, 5]

    @pytest.mark.parametrize("cursor", ["x", "-1", "0", "9" * 30, "٣", "1_1", "%00"])
    def test_garbage_shows_the_first_page_and_says_so(self, staff: Client, cursor: str) -> None:
        """E5."""
        make_tenant("Acme")

        for name in ("after", "before"):
            response = staff.get(f"{TENANTS}?{name}={cursor}")

            assert "Acme" in response.text
            assert "The page in this address does not exist." in response.text

    def test_an_index_serves_the_order(self) -> None:
        for n in range(30):
            make_tenant(f"Shop {n:02}")
        second = f"after={self.page_at().after}"
        place = Place.read_rows(QueryDict(second), queries.name_of, newest_first=False)

        with connection.cursor() as cursor, CaptureQueriesContext(connection) as queried:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            paginate(Rows(queries.tenants()), "by_name", place)
            cursor.execute(f"EXPLAIN {queried.captured_queries[-1]['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())

        assert "Index Scan using tenant_page" in plan
        assert "Index Cond: (lower(name) >=" in plan


class TestTenant:
    def test_everything_of_one_tenant(self, staff: Client) -> None:
        tenant = make_tenant("Acme", key="acme-1", billing_email="pay@acme.example")
        make_subscription(
            tenant,
            plan="Team, yearly",
            quantity=12,
            period_start_at=NOON,
            period_end_at=NOON + timedelta(days=31),
            cancel_at=NOON + timedelta(days=62),
        )
        make_customer(tenant)
        make_invoice(tenant=tenant, number="INV-1", amount_minor=4200)
        event = make_event(tenant=tenant, event_id="evt_acme")
        make_invoice(tenant=make_tenant("Globex"), number="INV-OTHER", amount_minor=99_900)
        make_event(tenant=make_tenant("Globex"), event_type="other.type")

        text = staff.get(address(tenant)).text

        for shown in (
            *("Acme", "acme-1", "pay@acme.example"),
            *("Team, yearly", ">12<", "Active", "Apr 1", "cancels", "May 2"),
            *("dashboard.stripe.com/test/subscriptions/sub_1", "/customers/cus_1"),
            *('aria-label="Totals of Acme"', ">$42.00<small>USD</small></a></p>"),
            *("INV-1", "$42.00", "invoice.paid", f"q=evt_acme&amp;open={event.pk}"),
            *(f"{reverse('billing:invoices')}?tenant=acme-1", "/events/?tenant=acme-1"),
        ):
            assert shown in text, shown
        assert "INV-OTHER" not in text
        assert "other.type" not in text

    def test_nothing_yet(self, staff: Client) -> None:
        text = staff.get(address(make_tenant())).text

        assert text.count("None.") == 4
        assert "no billing address" in text

    def test_any_id_and_name_has_a_page(self, staff: Client) -> None:
        """E13."""
        tenant = make_tenant("\u202eشركة النور 🚀 株式会社" + "x" * 280, key='../a b/?q=1&x#é"<b>')

        text = staff.get(TENANTS).text
        assert address(tenant) in text
        page = staff.get(address(tenant))
        assert page.status_code == 200
        # The links to the lists name the tenant, whatever the id holds.
        make_invoice(tenant=tenant, number="INV-1")
        text = staff.get(address(tenant)).text
        link = unescape(text.split('href="/admin/payments/invoices/?')[1].split('"')[0])
        assert QueryDict(link)["tenant"] == tenant.key
        assert "INV-1" in staff.get(f"/admin/payments/invoices/?{link}").text

    def test_ten_of_many_and_a_way_to_all(self, staff: Client) -> None:
        tenant = make_tenant("Acme")
        for n in range(30):
            make_subscription(tenant, f"sub_{n:02}")
            make_customer(tenant, f"cus_{n:02}")

        text = staff.get(address(tenant)).text

        assert text.count(">Active<") == 10
        for what in ("subscriptions", "customers"):
            every = f"{address(tenant)}{what}/"
            assert f'href="{every}">All 30' in text
            first = staff.get(every)
            rest = staff.get(every + first.context["next"])
            assert "1–25</b> of <b>30" in first.text
            refs = [
                row.ref[-2:] for row in (*first.context["page"].rows, *rest.context["page"].rows)
            ]
            assert refs == [f"{n:02}" for n in reversed(range(30))]

    def test_persons_behind_a_customer_are_for_those_who_may_see_customers(self) -> None:
        tenant = make_tenant()
        make_customer(tenant, name="Ada Lovelace", email="ada@example.com")
        may = logged_in("view_tenant", "view_customer")
        assert "ada@example.com" in may.get(address(tenant)).text
        may.logout()
        User.objects.all().delete()

        for path in (address(tenant), f"{address(tenant)}customers/"):
            text = logged_in("view_tenant").get(path).text
            User.objects.all().delete()
            assert "cus_1" in text
            assert "Ada" not in text
            assert "ada@" not in text

    def test_edit_is_for_those_who_may_change(self, staff: Client) -> None:
        tenant = make_tenant()
        edit = reverse("admin:billing_tenant_change", args=[tenant.pk])
        assert edit not in staff.get(address(tenant)).text
        User.objects.all().delete()

        assert edit in logged_in("view_tenant", "change_tenant").get(address(tenant)).text

    @pytest.mark.parametrize("pk", ["0", "12345", "9" * 30])
    @pytest.mark.parametrize("rest", ["", "subscriptions/", "customers/"])
    def test_an_unknown_tenant(self, staff: Client, pk: str, rest: str) -> None:
        assert staff.get(f"{TENANTS}{pk}/{rest}").status_code == 404


class TestClaims:
    def test_a_conflict_is_shown_to_both(self, staff: Client) -> None:
        acme, globex = make_tenant("Acme"), make_tenant("Globex")
        claim(globex, claimed_at_ms=2)
        claim(acme, claimed_at_ms=1)
        claim(acme, ref="cus_only_acme")

        for tenant in (acme, globex):
            text = staff.get(address(tenant)).text
            claims = text.split('id="claims"')[1]
            assert "Another tenant claims" in text
            assert "Conflict" in claims
            # The earliest is the one that counts.
            assert claims.index("Acme") < claims.index("Globex")
            assert "/events/?q=cus_1" in claims
            assert "cus_only_acme" not in claims

    def test_what_a_person_decided_is_no_conflict(self, staff: Client) -> None:
        acme, globex = make_tenant("Acme"), make_tenant("Globex")
        claim(globex, claimed_at_ms=1)
        claim(acme, by_person=True, assigned_by=make_staff(username="anna"))

        for tenant in (acme, globex):
            text = staff.get(address(tenant)).text
            claims = text.split('id="claims"')[1]
            assert "Another tenant claims" not in text
            assert "Decided" in claims
            assert claims.index("Acme") < claims.index("assigned by anna") < claims.index("Globex")

    def test_undisputed_claims_are_not_listed(self, staff: Client) -> None:
        tenant = make_tenant()
        claim(tenant)

        assert 'id="claims"' not in staff.get(address(tenant)).text


class TestAccess:
    """E1."""

    @pytest.fixture
    def paths(self) -> list[str]:
        page = address(make_tenant("Unmistakable GmbH"))
        return [TENANTS, page, f"{page}subscriptions/", f"{page}customers/"]

    def test_without_the_permission_nobody_learns_anything(self, paths: list[str]) -> None:
        clerk = logged_in("view_paymentevent", "view_invoice")
        for path in paths:
            assert Client().get(path).status_code == 302
            answer = clerk.get(path)
            assert answer.status_code == 403
            assert "Unmistakable" not in answer.text

    def test_only_reading_and_no_cache(self, staff: Client, paths: list[str]) -> None:
        for path in paths:
            assert staff.post(path).status_code == 405
            assert "no-store" in staff.get(path)["Cache-Control"]

    def test_money_and_events_only_for_who_may_see_them(self) -> None:
        tenant = make_tenant()
        make_invoice(tenant=tenant, number="INV-HIDDEN")
        make_event(tenant=tenant, event_type="hidden.type")

        text = logged_in("view_tenant").get(address(tenant)).text

        assert "Total revenue" not in text
        assert "INV-HIDDEN" not in text
        assert "hidden.type" not in text

    def test_a_tenants_name_leads_to_its_page_for_those_who_may_see_it(self, staff: Client) -> None:
        tenant = make_tenant("Acme")
        invoice = make_invoice(tenant=tenant)
        make_event(tenant=tenant)
        pages = [
            reverse("billing:events"),
            reverse("billing:invoices"),
            reverse("billing:invoice", args=["stripe", invoice.ref]),
        ]
        for page in pages:
            assert address(tenant) in staff.get(page).text
        User.objects.all().delete()
        other = logged_in("view_paymentevent", "view_invoice")
        for page in pages:
            text = other.get(page).text
            assert "Acme" in text
            assert TENANTS not in text

    def test_the_side_leads_to_the_list(self, staff: Client) -> None:
        events = staff.get(reverse("billing:events")).text
        page = staff.get(TENANTS).text

        assert f'<a href="{TENANTS}">' in events
        assert f'<a href="{TENANTS}" aria-current="page">' in page
        assert page.count('aria-current="page"') == 2  # once in the side, once in the menu


class TestStatements:
    """E12. Pinned: a page costs the same number of statements however many rows it shows."""

    @pytest.fixture
    def acme(self, staff: Client) -> Tenant:
        acme, other = make_tenant("Acme"), make_tenant("Beta")
        for n in range(30):
            make_tenant(f"Shop {n:02}")
            make_subscription(acme, f"sub_{n:02}")
            make_customer(acme, f"cus_{n:02}")
            make_invoice(tenant=acme)
            make_event(tenant=acme)
            for tenant in (acme, other):
                claim(tenant, f"cus_{n:02}")
        return acme

    def test_list(
        self, staff: Client, acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(LOGIN + 2):
            page = staff.get(TENANTS)
        with django_assert_num_queries(LOGIN + 3):
            staff.get(TENANTS + page.context["next"])
        with django_assert_num_queries(LOGIN + 2):
            staff.get(f"{TENANTS}?q=acme")

    def test_one(
        self, staff: Client, acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(LOGIN + 3):
            staff.get(address(acme))
        with django_assert_num_queries(LOGIN + 3):
            staff.get(f"{address(acme)}subscriptions/")


def test_a_name_too_long_for_the_index_is_refused() -> None:
    make_tenant("🚀" * 500)
    with pytest.raises(ValidationError, match="too long"):
        Tenant(key="x", name="x" * 501).full_clean()
