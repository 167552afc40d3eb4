"""Bare host names are told from identifiers of the same shape: by the name, by its surroundings, by what else is there."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.extract import bare_names
from atsprobe.extract.bare_hosts import WholeStrings, bare_host, embedded_host
from atsprobe.extract.bare_names import TooManyNames, names_in, wide_names_in
from atsprobe.model.endpoint import Argument, Line

HOSTS = [
    "manager.alfa-us.smartlook.cloud",
    "api.stripe.com",
    "ipinfo.io",
    "app.adjust.com",
    "us.i.posthog.com",
    "s3.eu-west-1.amazonaws.com",
    "news.bbc.co.uk",
    "xn--bcher-kva.example.com",
    "www.gov.pl",
]
IDENTIFIERS = [
    *(
        "com.google.chrome",
        "io.flutter.flutter.app",
        "org.example.mail.com",
        "com.example.mail.com",
        "io.ktor.client.net",
    ),
    *(
        "cmake.in",
        "color.xyz",
        "dart.io",
        "java.net",
        "this.dev",
        "node.net",
        "go.shape.int",
        "main.cc",
        "a.map",
        "SKILL.md",
    ),
    *(
        "Api.example.com",
        "api_v1.example.com",
        "e.co",
        "com",
        "co.uk",
        "192.168.0.1",
        "1.2.3",
        "a..com",
        "-a.example.com",
    ),
    *("api.example.com.", "api.example.com:443", "", ".com", "a" * 64 + ".com", "a." * 130 + "com"),
]


def texts(data, wide=False, **options):
    """Give the names in bytes, those that are whole strings marked."""
    found = wide_names_in(data, 0, len(data)) if wide else names_in(data, 0, len(data), **options)
    return [f"={n.name}" if n.is_whole else n.name for n in found]


def added(*names):
    """Give the hosts that remain of whole strings in one file."""
    strings = WholeStrings()
    for name in names:
        strings.add(name, Argument())
    return [s.endpoint.host for s in strings.sightings()]


@pytest.mark.parametrize("name", HOSTS)
def test_names_of_hosts_are_hosts(name):
    """A name under a common suffix with an owner is taken, a host called app or us among them."""
    assert bare_host(name) == name
    assert embedded_host(name) == name


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers_are_no_hosts(name):
    """Reverse DNS, members, files, versions and what DNS cannot carry are not taken."""
    assert bare_host(name) is None


def test_inside_a_text_a_name_of_two_labels_needs_a_suffix_that_members_do_not_have():
    """``stats.dev`` in a script is a member; ``google.com`` in one is a host."""
    assert [bool(embedded_host(n)) for n in ("stats.dev", "options.ca", "node2.net", "google.com", "a.stats.dev")] == [
        *(False, False, False),
        *(True, True),
    ]


def test_many_names_under_many_domains_that_share_a_first_label_are_a_namespace():
    """``llvm.`` and eleven members are none of them hosts; eleven regions of one owner, and ``www.`` of eleven, are."""
    members = [f"llvm.{name}.se" for name in "abcdefghijkl"]
    members = [m.replace(f".{m[5]}.", f".{m[5]}xw.") for m in members]
    regions = [f"sync.r{n}.example.com" for n in range(20)]
    sites = [f"www.site{n}.com" for n in range(20)]
    assert added(*members, "api.example.com", *regions, *sites) == ["api.example.com", *regions, *sites]


def test_of_one_host_twenty_sightings_are_kept():
    """A name that stands a hundred times costs no more than twenty sightings."""
    assert len(added(*["api.example.com"] * 100)) == 20


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0api.example.com\0", ["=api.example.com"]),
        (b"api.example.com", ["=api.example.com"]),
        (b"x\0api.example.com\0y.example.org\0", ["=api.example.com", "=y.example.org"]),
        (b"\0.example.com\0", ["example.com"]),
        (b"see api.example.com.\0", ["api.example.com"]),
        (b"see api.example.com, or\0", ["api.example.com"]),
        (b'host="api.example.com"', ["api.example.com"]),
        (b"api.example.com:8443/v1\0", ["api.example.com"]),
        (b"stun:stun.example.com:3478\0", ["stun.example.com"]),
        (b'"//cdn.example.com/x.js"', ["cdn.example.com"]),
        (b"postgres://db.example.com/x", ["db.example.com"]),
        (b"https://api.example.com/", []),
        (b"oncehttps://api.example.com/", []),
        (b"mqtt://api.example.com/", []),
        (b"support@example.com\0", []),
        (b"/usr/lib/libx.example.com\0", []),
        (b"%@.example.com\0", []),
        (b"${region}.example.com\0", []),
        (b" Foo.example.com ", []),
        (b" foo_x.example.com ", []),
        (b" a.example.com(x) ", []),
        (b" a.example.com=1 ", []),
        (b" a.example.com2 ", []),
        (b" a.example.com.map ", []),
        (b" a.example.com_x ", []),
        (b"\xc3\xa9a.example.com\0", []),
    ],
)
def test_what_stands_around_a_name_decides(data, expected):
    """NULs make it a whole string; blanks and marks part it from text; letters, an @, a call or a path do not."""
    assert texts(data) == expected


def test_where_strings_stand_end_to_end_none_is_whole():
    """A NUL there is no end of a string, and the path of a Go module no host."""
    assert texts(b"\0api.example.com\0", run_on=True) == []
    assert texts(b"\x000github.com/owner/module see api.example.com for", run_on=True) == ["api.example.com"]


@pytest.mark.parametrize("before", [b"", b"\0\0", b"x", b"\1\0\2"])
@pytest.mark.parametrize("after", [b"", b"\0\0", b" \0x\0", b"\xe9\0", b"x", b"xy", b"\0x"])
def test_of_utf_16_no_name_is_cut_short(before, after):
    """Little-endian names are found where nothing of a name follows; of big-endian text there is never .co for .com."""
    little = texts(before + "last.example.com".encode("utf-16-le") + after, wide=True)
    assert set(little) <= {"=last.example.com", "last.example.com"}
    assert little or after not in (b"", b"\0\0", b" \0x\0", b"\0x")
    for name in texts(before + "last.example.com".encode("utf-16-be") + after, wide=True):
        assert name.endswith("last.example.com")


def test_the_text_around_a_name_is_one_line_and_bounded():
    """A line break and a control character end it, and it is never longer than what is kept."""
    (name,) = names_in(b"first\nsee api.example.com now\nthird", 0, 35)
    assert (name.text, name.offset) == ("see api.example.com now", 10)
    (name,) = names_in(b"x" * 900 + b" api.example.com " + b"y" * 900, 0, 1817)
    assert len(name.text) <= 80 + 100 + 15


def test_too_many_names_are_said_to_be(monkeypatch):
    """A part with more ends of names than are looked at is no part in which all was looked at."""
    monkeypatch.setattr(bare_names, "MAX_NAMES", 2)
    with pytest.raises(TooManyNames):
        texts(b"a.example.com\0" * 3)


@pytest.mark.parametrize(
    "unit", [b"a", b"a.", b".com", b"a.com ", b"a.com\0", b"\0.\0c\0o\0m", (b"a" * 62 + b".") * 4 + b".com"]
)
def test_time_grows_with_the_bytes_alone(unit):
    """Twice the hostile bytes take about twice the time."""

    def seconds(size):
        data, start = unit * (size // len(unit)), time.process_time()
        for scan in (names_in, wide_names_in):
            with contextlib.suppress(TooManyNames):
                sum(1 for _ in scan(data, 0, len(data)))
        return time.process_time() - start

    small = min(seconds(1 << 18) for _ in range(3))
    assert min(seconds(1 << 19) for _ in range(3)) < 2.6 * small + 0.01


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(data):
    """No bytes around a suffix make the scan fail, and every name lies inside them."""
    for text in (data, data + b"\0api.example.com\0" + data, data.replace(b"a", b".com ")):
        assert all(text[n.offset :].startswith(n.name.encode()) for n in names_in(text, 0, len(text)))
        wide = text.decode("latin-1").encode("utf-16-le")
        assert all(wide[n.offset :].startswith(n.name.encode("utf-16-le")) for n in wide_names_in(wide, 0, len(wide)))


def test_a_table_of_names_is_no_list_of_servers():
    """Whole strings under more than a hundred owners are less sure, but for names that hosts have; a hundred are not."""
    for count, classes in ((99, {"C"}), (100, {"C", "D"})):
        names = WholeStrings()
        for number in range(count):
            names.add(f"provider{number}.com", Line(1))
        for name in ("api.provider1.com", "app.render.com"):
            names.add(name, Line(2))
        found = {s.endpoint.host: s.confidence.value for s in names.sightings()}
        assert set(found.values()) == classes
        assert found["api.provider1.com"] == "C"
        assert (found["app.render.com"] == "C") is (count == 99)  # a suffix under which others have names
        assert len(found) == count + 2
