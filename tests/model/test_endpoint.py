"""Host names and addresses have one spelling, and nothing that DNS could not carry gets one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.model.endpoint import (
    Argument,
    ByteOffset,
    Endpoint,
    Host,
    InvalidHost,
    Line,
    PlistKey,
    Reference,
    Section,
    counterpart,
    ip_address_of,
    merge,
    parse_host,
    unicode_name,
)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.com", "example.com"),
        ("  Example.COM. ", "example.com"),
        ("localhost", "localhost"),
        ("printer.local", "printer.local"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("my_host.example.com", "my_host.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1.2.3.4", "1.2.3.4"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
        ("1e100.net", "1e100.net"),
    ],
)
def test_one_spelling(text, host):
    """Case, a dot at the end, U-labels and the forms of an address come out the same."""
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a..b",
        ".example.com",
        "example.com..",
        "-a.example.com",
        "a-.example.com",
        "a b.example.com",
        "a/b",
        "exa%mple.com",
        "user@example.com",
        "example.com:443",
        "*.example.com",
        "a" * 64 + ".com",
        "a." * 150 + "com",
        "é" * 2000,
        "256.1.1.1",
        "1.2.3",
        "example.123",
        "[example.com",
        "[1.2.3.4",
        "a\x00b.com",
        "\udcff.com",
        "١.٢.٣.٤٥٦",
    ],
)
def test_what_is_no_host(text):
    """A clear refusal, never another exception and never a guess."""
    with pytest.raises(InvalidHost):
        parse_host(text)


@given(st.text(max_size=300))
def test_any_text_gives_a_host_or_a_refusal(text):
    """The spelling is stable, ASCII, lower-case and fits into DNS."""
    try:
        host = parse_host(text)
    except InvalidHost:
        return
    assert parse_host(host) == host
    assert host.isascii()
    assert host == host.lower()
    assert len(host) <= 253


def test_u_labels_for_people():
    """The A-labels of a name can be shown as they were meant; broken ones are shown as they stand."""
    assert unicode_name(Host("xn--bcher-kva.example")) == "bücher.example"
    assert unicode_name(Host("example.com")) == "example.com"
    assert unicode_name(Host("xn--\u200b.example")) == "xn--\u200b.example"


def test_addresses_are_told_from_names():
    """Only a literal is an address."""
    assert str(ip_address_of(Host("::1"))) == "::1"
    assert ip_address_of(Host("localhost")) is None


@pytest.mark.parametrize(("port", "other"), [(80, 443), (8080, 8080), (443, 443)])
def test_the_https_counterpart_of_an_http_endpoint(port, other):
    """443 takes the place of 80; any other port stays."""
    assert counterpart(Endpoint(Host("h"), port, "http")) == Endpoint(Host("h"), other, "https")


def test_endpoints_and_places_read_well():
    """IPv6 stands in brackets; a place begins with its line where it has one."""
    assert str(Endpoint(Host("2001:db8::1"), 443)) == "[2001:db8::1]:443"
    assert str(Endpoint(Host("a.example"), 8443)) == "a.example:8443"
    assert str(PlistKey("A.B", 12)) == "12 A.B"
    assert str(PlistKey("A.B")) == "A.B"
    assert str(Line(3)) == "3"
    assert str(Section("arm64", "__TEXT,__cstring", 256)) == "(arm64) __TEXT,__cstring+0x100"
    assert str(ByteOffset(16)) == "+0x10"
    assert (str(Argument()), str(Argument(4))) == ("", "4")


def test_sightings_are_gathered_by_endpoint():
    """One entry for each endpoint, sorted, with its sightings in the order found."""
    a, b = Endpoint(Host("a"), 443), Endpoint(Host("b"), 443)
    found = [Reference(e, "t", None, "f", Line(n), "x", "url") for n, e in enumerate((b, a, b))]
    assert merge(found) == {a: (found[1],), b: (found[0], found[2])}
    assert list(merge(found)) == [a, b]
