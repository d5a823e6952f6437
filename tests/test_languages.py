"""Every language is complete, in step with the source, and compiled."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
# %(name)s, {name}, and the tags of HTML with their attributes.
KEPT = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]+>")


def compiled(code: str, root: Path = settings.BASE_DIR) -> Path:
    return root / "locale" / to_locale(code) / "LC_MESSAGES" / "django.mo"


def catalog(code: str, root: Path = settings.BASE_DIR) -> Catalog:
    with compiled(code, root).with_suffix(".po").open("rb") as file:
        return read_po(file)


def messages(catalog: Catalog) -> Iterable[Message]:
    """All but the header."""
    return (message for message in catalog if message.id)


def forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """The one form, or singular and plurals."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def key(message: Message) -> tuple[str | None, tuple[str, ...]]:
    return message.context, forms(message.id)


def by_key(compiled: IO[bytes]) -> dict[Any, str]:
    """What gettext will look up, without the header."""
    held: dict[Any, str] = vars(GNUTranslations(compiled))["_catalog"]
    return {key: text for key, text in held.items() if key}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_message_is_translated(code: str) -> None:
    ours = catalog(code)

    wanting = [
        message.id
        for message in messages(ours)
        if message.fuzzy
        or not all(forms(message.string))
        or (message.pluralizable and len(forms(message.string)) != ours.num_plurals)
    ]
    assert wanting == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_translations_keep_what_is_filled_in_and_the_tags(code: str) -> None:
    """A form of the singular may leave the number out, as in English."""
    changed = []
    for message in messages(catalog(code)):
        originals = [Counter(KEPT.findall(form)) for form in forms(message.id)]
        for form in filter(None, forms(message.string)):
            if Counter(KEPT.findall(form)) not in originals:
                changed.append((message.id, form))
    assert changed == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_compiled_messages_are_those_that_were_written(code: str) -> None:
    """The compiled ones are kept in the repository, so that no deployment needs gettext."""
    fresh = BytesIO()
    write_mo(fresh, catalog(code))
    fresh.seek(0)

    with compiled(code).open("rb") as file:
        assert by_key(file) == by_key(fresh), "Run make messages."


def test_no_text_hides_in_an_f_string() -> None:
    """xgettext does not look into them."""
    hidden = [
        f"{path.name}:{call.lineno}"
        for app in ("billing", "payments_admin", "webhooks")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        for string in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and (call.func.id == "_" or "gettext" in call.func.id)
    ]
    assert hidden == []


def test_languages_hold_the_messages_of_the_source(tmp_path: Path) -> None:
    if shutil.which("msgmerge") is None:
        if os.environ.get("REQUIRE_GETTEXT") == "1":
            pytest.fail("GNU gettext was not found. Install it: apt install gettext")
        pytest.skip("no gettext")
    skipped = shutil.ignore_patterns(".git", ".venv", "var", "tests", "node_modules", "__pycache__")
    shutil.copytree(settings.BASE_DIR, tmp_path, ignore=skipped, dirs_exist_ok=True)

    surroundings = os.environ | {
        "DJANGO_SETTINGS_MODULE": "payments_admin.settings",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    made = subprocess.run(
        [tmp_path / ".ci" / "messages"],
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 0, made.stderr
    for code in LANGUAGES:
        theirs, ours = (
            {key(message) for message in messages(catalog(code, root))}
            for root in (tmp_path, settings.BASE_DIR)
        )
        assert theirs == ours, f"{code}: run make messages, and translate."
