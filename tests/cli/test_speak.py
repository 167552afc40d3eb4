"""The speaker: widths, colours and symbols follow the stream that is spoken to."""

from __future__ import annotations

import pytest

from atsprobe.cli.speak import Speaker


@pytest.mark.parametrize(
    ("terminal", "encoding", "environ", "looks"),
    [
        (False, "utf-8", {}, (80, False, True, False)),
        (False, "utf-8", {"COLUMNS": "60"}, (60, False, True, True)),
        (True, "utf-8", {"COLUMNS": "120"}, (120, True, True, True)),
        (True, "utf-8", {"NO_COLOR": "1"}, (80, False, True, True)),
        (True, "utf-8", {"TERM": "dumb"}, (80, False, False, True)),
        (True, "iso8859-1", {}, (80, True, False, True)),
        (False, "utf-8", {"COLUMNS": "wide"}, (80, False, True, False)),
    ],
)
def test_the_looks_of_a_stream(stream, terminal, encoding, environ, looks) -> None:
    """Width, colour, symbols beyond ASCII, folding of names."""
    style = Speaker(stream(terminal=terminal, encoding=encoding), stream(), environ).style()
    assert (style.width, style.color, style.unicode, style.fold) == looks


def test_foreign_text_in_an_error_is_escaped(stream) -> None:
    """A file name may hold anything, a line break included."""
    err = stream()
    Speaker(stream(), err, {}).error("a\nb\x1b[2J.ipa: no such file")
    assert err.getvalue() == "atsprobe: error: a\\u{a}b\\u{1b}[2J.ipa: no such file\n"


def test_words_of_errors_are_coloured_on_a_terminal(stream) -> None:
    """The word alone, in a basic colour."""
    err = stream(terminal=True)
    speaker = Speaker(stream(), err, {})
    speaker.error("no")
    speaker.warning("hm")
    assert err.getvalue() == "atsprobe: \x1b[1;31merror:\x1b[0m no\natsprobe: \x1b[35mwarning:\x1b[0m hm\n"


def test_without_streams_nothing_breaks() -> None:
    """A program may be started with closed streams; a report with nowhere to go is an error."""
    from atsprobe.settings import UsageProblem

    speaker = Speaker(None, None, {})
    speaker.error("no")
    speaker.closing(0, "nothing to act on")
    with pytest.raises(UsageProblem):
        speaker.report("text")
