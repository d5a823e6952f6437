"""Whatever a gateway refuses is said in the reader's language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from billing.reasons import in_words
from webhooks import gateways


def refusals() -> Iterator[str]:
    """What each ``raise PayloadError(…)`` of the gateways says, with a word in each gap."""
    for path in sorted(Path(gateways.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "PayloadError"
            ):
                (said,) = node.args
                parts = said.values if isinstance(said, ast.JoinedStr) else [said]
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "amount"
                    for part in parts
                )


@pytest.mark.parametrize("reason", sorted(set(refusals())))
@pytest.mark.parametrize("language", ["zh-hans", "de", "es", "fr", "ja"])
def test_every_refusal_is_said_in_every_language(reason: str, language: str) -> None:
    with translation.override("en"):
        assert in_words(reason) == reason
    with translation.override(language):
        assert in_words(reason) != reason


def test_what_was_wrong_is_kept() -> None:
    with translation.override("de"):
        assert "due_amount" in in_words("due_amount is negative")
        assert "'BTC'" in in_words("currency 'BTC' is not one that Stripe documents")


def test_a_reason_of_no_known_form_stays() -> None:
    with translation.override("de"):
        assert in_words("KeyError: 'x'") == "KeyError: 'x'"
