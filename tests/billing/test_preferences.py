import pytest
from django.test import Client

from tests.factories import make_staff

pytestmark = pytest.mark.django_db

EVENTS = "/admin/payments/events/"
PREFERENCES = "/admin/payments/preferences/"


class TestTheme:
    def test_system_decides_until_one_is_chosen(self, staff: Client) -> None:
        text = staff.get(EVENTS).text

        assert "data-theme" not in text
        assert '<meta name="color-scheme" content="light dark">' in text

    def test_is_remembered_and_taken_back(self, staff: Client) -> None:
        kept = staff.post(PREFERENCES, {"theme": "dark"}).cookies["theme"]
        dark = staff.get(EVENTS).text
        staff.post(PREFERENCES, {"theme": ""})

        assert (kept["samesite"], kept["httponly"], kept["max-age"]) == ("Lax", True, 31_536_000)
        assert ' data-theme="dark">' in dark
        assert '<meta name="color-scheme" content="dark">' in dark
        assert "data-theme" not in staff.get(EVENTS).text

    @pytest.mark.parametrize("path", ["/admin/login/", "/no/such/page", EVENTS])
    def test_dresses_every_page(self, path: str) -> None:
        client = Client()
        client.cookies["theme"] = "dark"

        assert ' data-theme="dark">' in client.get(path, follow=True).text

    def test_only_a_theme_of_ours_is_repeated(self, staff: Client) -> None:
        staff.cookies["theme"] = "neon"

        assert "neon" not in staff.get(EVENTS).text
        assert staff.post(PREFERENCES, {"theme": "neon"}).status_code == 400


class TestLanguage:
    @pytest.mark.parametrize(
        ("accepted", "lang"),
        [("de-AT,de;q=0.9", "de"), ("zh-CN", "zh-hans"), ("tlh", "en"), ("", "en")],
    )
    def test_browser_decides_until_one_is_chosen(
        self, staff: Client, accepted: str, lang: str
    ) -> None:
        text = staff.get(EVENTS, headers={"Accept-Language": accepted}).text

        assert f'<html lang="{lang}" dir="ltr">' in text

    def test_is_remembered_and_taken_back(self, staff: Client) -> None:
        german = {"Accept-Language": "de"}
        staff.post(PREFERENCES, {"language": "ja"})
        chosen = staff.get(EVENTS, headers=german).text
        staff.post(PREFERENCES, {"language": ""})

        assert '<html lang="ja"' in chosen
        assert '<html lang="de"' in staff.get(EVENTS, headers=german).text

    def test_each_is_offered_by_its_own_name(self, staff: Client) -> None:
        text = staff.get(EVENTS).text

        for name in ("English", "简体中文", "Deutsch", "Español", "Français", "日本語"):
            assert f">{name}<" in text

    def test_unknown_one_is_refused(self, staff: Client) -> None:
        response = staff.post(PREFERENCES, {"language": "xx"})

        assert response.status_code == 400
        assert not response.cookies


class TestWayBack:
    def test_leads_to_the_page_with_the_form(self, staff: Client) -> None:
        page = f"http://testserver{EVENTS}?q=x"

        response = staff.post(PREFERENCES, {"theme": "dark"}, headers={"Referer": page})

        assert response["Location"] == page

    @pytest.mark.parametrize("page", ["", "https://example.com/", "//example.com", "javascript:1"])
    def test_leads_to_no_other_site(self, staff: Client, page: str) -> None:
        response = staff.post(PREFERENCES, {"theme": "dark"}, headers={"Referer": page})

        assert response["Location"] == "/admin/payments/"


class TestWhoMay:
    def test_staff_without_any_permission(self) -> None:
        client = Client()
        client.force_login(make_staff())

        assert client.post(PREFERENCES, {"theme": "dark"}).cookies["theme"].value == "dark"

    def test_nobody_who_is_not_logged_in(self) -> None:
        response = Client().post(PREFERENCES, {"theme": "dark"})

        assert response["Location"].startswith("/admin/login/")
        assert "theme" not in response.cookies

    def test_nobody_by_a_link(self, staff: Client) -> None:
        assert staff.get(f"{PREFERENCES}?theme=dark").status_code == 405

    def test_no_other_site(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_staff())

        assert client.post(PREFERENCES, {"theme": "dark"}).status_code == 403
