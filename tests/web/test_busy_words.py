"""Each reason why a calendar cannot be read has words in both languages."""

import pytest
from flask import Flask

from scheduler.busy.keeping import PROBLEMS
from web.parts.busy_card import PROBLEM_WORDS, problem_words


def test_every_code_has_words_and_no_words_lack_a_code() -> None:
    assert set(PROBLEM_WORDS) == PROBLEMS


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_each_is_said_with_what_to_do_in_both_languages(app: Flask, code: str) -> None:
    said = []
    for locale in ("es", "en"):
        with app.test_request_context(headers={"Cookie": f"lang={locale}"}):
            said.append(problem_words(code, {"status": 503}))
    assert all(text.endswith(".") and "%(" not in text for pair in said for text in pair)
    assert said[0][0] != said[1][0]
    assert said[0][1] != said[1][1]
