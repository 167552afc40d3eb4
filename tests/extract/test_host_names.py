"""URLs are found in bytes as a client would read them, and in time that grows with the bytes alone."""

from __future__ import annotations

import plistlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.extract.host_names import (
    FoundTemplate,
    FoundUrl,
    endpoint_of,
    has_public_suffix,
    host_meant_by_key,
    urls_in,
    wide_urls_in,
)

URLS = [
    ("https://a.example.com", "https a.example.com:443"),
    ("http://a.example.com/x?y#z", "http a.example.com:80"),
    ("ws://a.example.com", "http a.example.com:80"),
    ("WSS://A.Example.COM:8443/", "https a.example.com:8443"),
    ("https://user:p%40ss@a.example.com:81/", "https a.example.com:81"),
    ("https://good.example.com@evil.example.net/", "https evil.example.net:443"),
    ("https://a.example.com:/", "https a.example.com:443"),
    ("see https://a.example.com.", "https a.example.com:443"),
    ("(https://a.example.com), and", "https a.example.com:443"),
    ("**https://a.example.com**", "https a.example.com:443"),
    ("http://192.168.1.5:3000/", "http 192.168.1.5:3000"),
    ("http://[2001:db8::1]:8080/", "http [2001:db8::1]:8080"),
    ("http://[fe80::1%25en0]/", "http [fe80::1]:80"),
    ("http://localhost/", "http localhost:80"),
    ("https://bücher.example/", "https xn--bcher-kva.example:443"),
    ("https://a.example.com、そして", "https a.example.com:443"),
    ("http://localhost、そして", "http localhost:80"),
    ("https://s3.amazonaws.com/b", "https s3.amazonaws.com:443"),
    ("https://a.example.com%@", "https a.example.com:443"),
    ("https://a.example.com${path}", "https a.example.com:443"),
    ('https://a.example.com${join("x.com")}', "https a.example.com:443"),
    ("https://a.example.com:8080%@", "https a.example.com:8080"),
    ("https://a.example.com:70000/", None),
    ("https://a.example.com:0/", None),
    ("https://a.example.com:port/", None),
    ("https://", None),
    ("x-ftp://a.example.com/", None),
    ("+https://a.example.com/", "https a.example.com:443"),
    ("git+https://a.example.com/", None),
    ("https://www\\.example\\.com/", None),
    ("https://1.2.3/", None),
]
TEMPLATES = [
    ("https://%@.example.net/", "example.net"),
    ("https://%1$@.example.net/", "example.net"),
    ("https://api-%@.example.net/", "example.net"),
    ("https://%@example.net/", "net"),
    ("https://${region}.example.net/", "example.net"),
    ("https://{0}.example.net/", "example.net"),
    ("https://{{host}}.example.net/", "example.net"),
    ("https://$(HOST).example.net/", "example.net"),
    ("https://\\(region).example.net/", "example.net"),
    ("https://<tenant>.example.net/", "example.net"),
    ("https://*.example.net/", "example.net"),
    ('https://${f("x")}.example.net/', ""),
    ("https://${a.b.example.com + 1}/", ""),
    ("https://api.example.%@/", ""),
    ("https://%@/", ""),
    ("%@://%@:%@/api", ""),
    ("https://api.example.com:%d/", "api.example.com"),
]


def found(text, **options):
    """Give the URLs of a text as text."""
    return [
        f"{endpoint_of(h.found).scheme} {endpoint_of(h.found)}" if isinstance(h.found, FoundUrl) else h.found
        for h in urls_in(text.encode(), **options)
    ]


@pytest.mark.parametrize(("text", "expected"), URLS)
def test_a_url_names_the_endpoint_that_a_client_would_ask(text, expected):
    """Scheme, host and port of each URL are those that a client reads in it; what is no URL of ATS's gives none."""
    assert found(text) == ([expected] if expected else [])


@pytest.mark.parametrize(
    "url", ["ftp://a.example.com/", "mqtts://u:p@a.example.com:8883", "amqp://a.example.com", "TURN://a.example.com:%d"]
)
def test_a_url_that_ats_does_not_govern_names_a_host_and_no_load(url):
    """Its scheme and port are those of no load, and it is as little sure as a name inside a text."""
    (hit,) = urls_in(url.encode())
    assert hit.found == FoundUrl("a.example.com", None, None, is_load=False)
    assert hit.confidence.value == "D"
    assert hit.text.lower().startswith(url.lower().partition("%")[0])


def test_a_template_that_ats_does_not_govern_is_none():
    """A host that is filled in at run time behind another scheme says nothing of loads."""
    assert list(urls_in(b"mqtt://%@.example.com/")) == []


@pytest.mark.parametrize(("text", "suffix"), TEMPLATES)
def test_a_host_filled_in_at_run_time_leaves_its_fixed_end(text, suffix):
    """Only whole labels at the end of a template's host are taken for fixed."""
    (template,) = found(text)
    assert isinstance(template, FoundTemplate)
    assert template.suffix == suffix


@pytest.mark.parametrize(
    "text",
    [
        '{"u": "https:\\/\\/a.example.com\\/v1"}',
        '"https:\\u002F\\u002fa.example.com"',
        "https://other.invalid/?to=https%3A%2F%2Fa.example.com%2Fv1",
        '"https://\\u0061.example.com/"',
    ],
)
def test_escapes_of_scripts_and_queries_are_undone(text):
    """JSON's escaped slashes and letters, and a URL inside a query, give the same host as a plain URL."""
    assert found(text, escapes=True)[-1] == "https a.example.com:443"


def test_a_regular_expression_is_no_url():
    """A pattern for URLs, escaped or not, names no host."""
    assert found("/^https:\\/\\/www\\.example\\.com/ /https:\\/\\/[^\\/]+/ /https?:\\/\\//", escapes=True) == []


def test_letters_before_the_scheme_make_a_url_less_sure():
    """Where strings stand end to end, http and https are found all the same, with less confidence."""
    (hit,) = urls_in(b"oncehttps://a.example.com/")
    assert (hit.offset, hit.confidence.value, hit.text) == (4, "D", "https://a.example.com/")


def test_text_of_a_url_is_bounded_and_decodes_whatever_stands_there():
    """At most 200 characters of a URL are kept, and bytes that are not UTF-8 do no harm."""
    (hit,) = urls_in(b"https://a.example.com/" + b"\xff" * 1000)
    assert len(hit.text) == 200


@pytest.mark.parametrize("before", [b"", b"\0", b"\0\0", b"x", b"\1\0\2"])
@pytest.mark.parametrize("after", [b"\0\0", b"\xff", b"\0\0\0", b"x", b""])
def test_utf_16_is_read_with_the_byte_order_that_keeps_the_last_letter(before, after):
    """Big-endian text, which a little-endian reading sees one byte off, gives .com and not .co; and the other way round."""
    text = "https://last.example.com"
    big = list(wide_urls_in(before + text.encode("utf-16-be") + after))
    assert [(h.found.host, h.offset, h.encoding) for h in big[:1]] in (
        [("last.example.com", len(before), "utf-16be")],
        [("last.example.com", len(before) + 1, "utf-16le")],  # a NUL follows: both readings are the same text
    )
    if after != b"x":  # a string in memory ends with a NUL; a letter would go on with it
        little = list(wide_urls_in(before + text.encode("utf-16-le") + after))
        assert [h.found.host for h in little] == ["last.example.com"]


def test_a_binary_plist_scanned_as_bytes_keeps_the_last_letter():
    """The UTF-16BE string of a binary property list is found whole even by a scan of its bytes."""
    data = plistlib.dumps({"é": "https://last.example.com/é"}, fmt=plistlib.FMT_BINARY)
    assert [h.found.host for h in wide_urls_in(data)] == ["last.example.com"]


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com", "example.com"),
        ("*.example.com", "example.com"),
        (".example.com", "example.com"),
        ("example.com:443", "example.com"),
        ("https://example.com", "example.com"),
        ("https://maps.example.com:8443/v1", "maps.example.com"),
        ("example.com/v1", "example.com"),
        ("example.com.", "example.com"),
        (" example.com ", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("203.0.113.5", "203.0.113.5"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("localhost", "localhost"),
        ("10.0.0.0/8", None),
        ("2001:db8::/32", None),
        ("*", None),
        ("", None),
        ("two words", None),
    ],
)
def test_a_key_names_the_host_that_it_means(key, host):
    """A misspelt key of NSExceptionDomains names the host that it was meant for; a range of addresses names none."""
    assert host_meant_by_key(key) == host


def test_a_host_must_be_below_a_public_suffix_and_a_private_one_is_a_host():
    """Names under no suffix are told apart, and so are suffixes of ICANN's; a private suffix can be owned."""
    assert [
        has_public_suffix(h) for h in ("a.example.com", "s3.amazonaws.com", "github.io", "com", "co.uk", "a.corp")
    ] == [
        *(True, True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize(
    "unit",
    [
        b"a",
        b"a.",
        b"http://",
        b"%@://%@",
        b"://",
        b"https://{",
        b"https://[",
        b"https://\\u0061.com",
        b"https://" + b"\\u0061" * 20,
        b":\\/\\/",
        b"a" * 63 + b".",
        b":\0/\0/\0",
    ],
)
def test_time_grows_with_the_bytes_alone(unit):
    """Eight times the hostile bytes take nothing like the sixty-four times of a quadratic scan."""

    def seconds(size):
        data = unit * (size // len(unit))
        start = time.process_time()
        sum(1 for _ in urls_in(data, escapes=True)) + sum(1 for _ in wide_urls_in(data))
        return time.process_time() - start

    small = min(seconds(1 << 17) for _ in range(3))
    assert seconds(1 << 20) < 30 * small + 0.5


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_without_an_error(data, escapes):
    """No bytes around an anchor make the scan fail, and every hit lies inside them."""
    for text in (data, b"https://" + data, data + b"https://a.example.com", data.replace(b"a", b"://")):
        assert all(0 <= h.offset < len(text) for h in urls_in(text, escapes=escapes))
        assert all(0 <= h.offset < 2 * len(text) for h in wide_urls_in(text.decode("latin-1").encode("utf-16-le")))


@given(st.text(max_size=60))
def test_any_key_is_read_without_an_error(key):
    """Any key of NSExceptionDomains names a host or none."""
    host_meant_by_key(key)


def test_the_first_label_of_a_name_that_no_client_takes_is_no_host():
    """A name with a character in it that changes the reading direction is none, nor is what stands before that."""
    assert list(urls_in("https://evil\u202e.ferry.dev/".encode())) == []
