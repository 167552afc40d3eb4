"""Wrapping in cells, and foreign text that can do nothing to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from atsprobe.report.escape import escape, shortened
from atsprobe.report.style import Style
from atsprobe.report.text.layout import Page, wrap

LINES = st.text(st.sampled_from("ab./= -設\u0301_"), max_size=120)


def _page(text: str, **style: object) -> str:
    page = Page(Style(**style))
    page.add(text, indent=2, hang=6)
    return page.rendered()


@given(LINES, st.integers(20, 80), st.integers(20, 80))
def test_no_line_is_wider_than_its_room_and_no_character_is_lost(text: str, first: int, rest: int) -> None:
    """Folding drops blanks alone, where it broke the line."""
    spans = wrap(text, first, rest, fold=True)
    assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")
    for number, (start, end) in enumerate(spans):
        assert cell_len(text[start:end]) <= (rest if number else first) or not text[start:end].strip()


@given(LINES)
def test_without_folding_every_word_stays_whole(text: str) -> None:
    """A pipe gets names in one piece."""
    lines = [text[a:b] for a, b in wrap(text, 20, 20, fold=False)]
    assert [w for line in lines for w in line.split(" ") if w] == [w for w in text.split(" ") if w]


def test_a_key_and_its_value_stay_together() -> None:
    """They are copied together."""
    assert _page("some words that fill KEY = value", width=40).splitlines() == ["  some words that fill KEY = value"]
    lines = _page("some more words that fill a line KEY = value", width=40).splitlines()
    assert lines == ["  some more words that fill a line", "      KEY = value"]


def test_width_is_counted_in_cells() -> None:
    """A CJK character is two cells wide."""
    lines = _page("設定" * 40, width=60).splitlines()
    assert max(map(cell_len, lines)) <= 60
    assert "".join(line.strip() for line in lines) == "設定" * 40


@given(st.text())
def test_what_is_written_moves_no_cursor(text: str) -> None:
    """No control, format, private, unassigned or separating character is left, in any mode."""
    for shown in (escape(text), escape(text, ascii_only=True)):
        assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert escape(text, ascii_only=True).isascii()


@given(st.text(st.characters(codec="utf-8")))
def test_a_page_holds_one_line_for_each_that_it_breaks(text: str) -> None:
    """Foreign text cannot begin a line of its own: what it says stays behind the hanging indent."""
    for line in _page(f"id {text}").split("\n")[1:-1]:
        assert line.startswith("      ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\u{1b}[2J"),
        ("a\u202eb", "a\\u{202e}b"),
        ("a\u00a0b", "a\\u{a0}b"),
        ("\udc80", "\\u{dc80}"),
        ("bücher 設定", "bücher 設定"),
        ("[bold]:smile:", "[bold]:smile:"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    """Escapes have one spelling; what is harmless stays, markup and emoji codes included."""
    assert escape(text) == shown


def test_a_long_quotation_says_how_much_more_there_is() -> None:
    """200 characters, then the number of those left out."""
    assert shortened("x" * 1012) == "x" * 200 + "[+812]"


def test_a_word_that_is_wider_than_any_line_begins_beside_its_name() -> None:
    """Without folding, a path too long for its column stays on the line of its name where a new line has no more room."""
    text = "name  " + "a/" * 40
    assert wrap(text, 60, 54, fold=False) == [(0, len(text))]
    assert wrap(f"name  http://, {'a/' * 40}", 60, 54, fold=False)[0] == (0, 14)
