"""Values of options: what is taken, and the line for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from atsprobe.settings import UsageProblem, entries, rate, seconds, whole_number

FORM = "HOST:PORT:ADDR"


def test_entries_of_files_stand_in_the_place_of_the_file(tmp_path: Path) -> None:
    """Order is kept, comments and blank lines are dropped, a byte order mark is no part of the first entry."""
    listed = tmp_path / "list.txt"
    listed.write_text("\ufeffb:443:1.1.1.1  # second\r\n\r\n# none\nc:443:1.1.1.2\n", "utf-8")
    assert entries("--resolve", ["a:443:::1", f"@{listed}", "d:1:::1"], FORM) == (
        "a:443:::1",
        "b:443:1.1.1.1",
        "c:443:1.1.1.2",
        "d:1:::1",
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such file"), (b"\xff\xfe\xfa", "not UTF-8 (byte 0)"), ("folder", "is a directory")],
)
def test_a_list_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | str | None, reason: str) -> None:
    """With the option, the path as typed, the reason, and what the option takes."""
    path = tmp_path / "list.txt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    with pytest.raises(UsageProblem, match="--resolve: ") as caught:
        entries("--resolve", [f"@{path}"], FORM)
    assert str(caught.value) == f"--resolve: {path}: {reason}"
    assert caught.value.hint == f"--resolve takes {FORM}, or @FILE with one a line"


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e9", "3601", "1_0", "٣", "ten", "0x10"])
def test_what_is_no_time(text: str) -> None:
    """No time of zero, none without end."""
    with pytest.raises(UsageProblem):
        seconds("--timeout", text)


@pytest.mark.parametrize("text", ["", "0", "1001", "-1", "1.0", "٣", "9" * 30])
def test_what_is_no_number_of_jobs(text: str) -> None:
    """A whole number within the bounds, in ASCII digits."""
    with pytest.raises(UsageProblem):
        whole_number("--jobs", text, 1, 1000, 64)


def test_what_is_taken() -> None:
    """Fractions of seconds and of connections a second are."""
    assert (seconds("--timeout", "0.5"), rate("--rate", "0.25"), whole_number("-j", "1000", 1, 1000, 64)) == (
        0.5,
        0.25,
        1000,
    )
