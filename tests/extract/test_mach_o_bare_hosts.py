"""Bare hosts and run-on URLs in compiled Mach-O files, and how many of the literals of a source are found."""

from __future__ import annotations

import struct
import subprocess

import pytest

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.readers import mach_o_strings
from atsprobe.extract.sighting import HostSighting, Trouble

KEEP = "__attribute__((used)) static "
SOURCE = f"""
typedef unsigned short uint16_t;
{KEEP}const char *const whole = "manager.eu.whole.cloud";
{KEEP}const char *const with_port = "api.port.io:8443";
{KEEP}const char *const with_path = "www.path.com/v1/robots";
{KEEP}const char *const stun = "stun:stun.voice.example.org:19302";
{KEEP}const char *const broker = "mqtts://broker.things.io:8883";
{KEEP}const char *const database = "postgres://db.store.com/x";
{KEEP}const char *const bundle = "com.example.ferry";
{KEEP}const char *const chain = "event.target.name";
{KEEP}const char *const mail = "write to help@mail-us.com";
{KEEP}const char *const load = "https://load.example.org/v1";
{KEEP}const uint16_t wide[] = u"wide.whole.cloud";
{KEEP}const uint16_t wide_inside[] = u"ask wide.inside.cloud for it";
{KEEP}void *const literal = (void *)__builtin___CFStringMakeConstantString("cf.whole.cloud");
{KEEP}void *const accented = (void *)__builtin___CFStringMakeConstantString("\\u00e9: cf.inside.cloud");
{KEEP}const char in_const[] = "\\0const.whole.cloud";
char in_data[] = "data.whole.cloud";
__attribute__((used, section("__TEXT,__objc_methname"))) static const char selector[] = "selector.whole.cloud";
"""
CLASS_C = {"manager.eu.whole.cloud", "wide.whole.cloud", "cf.whole.cloud", "const.whole.cloud", "data.whole.cloud"}
CLASS_D = {
    *("api.port.io", "www.path.com", "stun.voice.example.org", "broker.things.io", "db.store.com", "wide.inside.cloud"),
    "cf.inside.cloud",
}


@pytest.fixture(scope="session")
def compiled(build, tmp_path_factory):
    """A function that compiles a source for arm64, and gives the linked file."""
    folder = tmp_path_factory.mktemp("compiled")

    def linked(source):
        (folder / "source.m").write_text(source)
        build.thin(folder / "out", "arm64", source=folder / "source.m")
        return (folder / "out").read_bytes()

    return linked


def hosts(data):
    """Give the sightings of hosts in a Mach-O file."""
    return [s for s in mach_o_strings.read("x", data) if isinstance(s, HostSighting)]


def of_class(data, confidence):
    """Give the hosts of one class."""
    return {h.endpoint.host for h in hosts(data) if h.confidence.value == confidence}


def test_each_kind_of_string_gives_its_bare_host(compiled):
    """Whole strings of every section of constants are class C, names inside others class D, and identifiers neither."""
    data = compiled(SOURCE)
    assert of_class(data, "C") == CLASS_C
    assert of_class(data, "D") == CLASS_D
    assert of_class(data, "B") == {"load.example.org"}


def test_a_bare_host_says_what_stands_there(compiled):
    """A URL of another scheme is kept as text, https on 443 is assumed, and the place is that of its first byte."""
    data = compiled(SOURCE)
    by_host = {h.endpoint.host: h for h in hosts(data)}
    broker, wide = by_host["broker.things.io"], by_host["wide.inside.cloud"]
    assert (broker.text, broker.kind, str(broker.endpoint)) == (
        *("mqtts://broker.things.io:8883", "bare-host", "broker.things.io:443"),
    )
    assert (wide.text, wide.location.encoding) == ("ask wide.inside.cloud for it", "utf-16le")
    section = next(s for s in images_in(data)[0].sections if s.name == wide.location.section)
    assert data[section.start + wide.location.offset :].startswith("wide.inside".encode("utf-16-le"))


def test_at_least_99_of_100_literals_with_a_url_are_found(compiled):
    """Of URLs in C strings, UTF-16, CFStrings with and without accents, and constants, all but one in a hundred are found."""
    kinds = (
        KEEP + 'const char *const v{0} = "https://c{0}.example.com/{0}";',
        KEEP + 'const char *const v{0} = "see http://in{0}.example.com.";',
        KEEP + 'const unsigned short v{0}[] = u"wss://wide{0}.example.org:8443/";',
        KEEP + 'void *const v{0} = (void *)__builtin___CFStringMakeConstantString("https://cf{0}.example.net");',
        KEEP
        + 'void *const v{0} = (void *)__builtin___CFStringMakeConstantString("https://accent{0}.example.net/\\u00fc");',
        KEEP + 'const char v{0}[] = "\\x07https://const{0}.example.io/";',
        KEEP + 'const char *const v{0} = "https://b\\u00fccher{0}.example.com/";',
        'char v{0}[] = "https://data{0}.example.dev";',
    )
    lines = [kinds[n % len(kinds)].replace("{0}", str(n)) for n in range(400)]
    found = {h.endpoint.host for h in hosts(compiled("\n".join(lines))) if h.confidence.value == "B"}
    prefixes = ("c", "in", "wide", "cf", "accent", "const", "xn--bcher", "data")
    seen = sum(any(f.startswith(prefixes[n % 8]) and str(n) in f for f in found) for n in range(400))
    assert seen >= 396
    assert len(found) <= 400


RUN_ON = """
#define GO __attribute__((used, section("__TEXT,__rodata"))) static const char
#define RUST __attribute__((used, section("__TEXT,__const"))) static const char
GO a[] = "context canceledhttps://api.first.ionext string";
GO b[] = "\\0whole.in-go.com\\0";
GO c[] = "see docs.in-go.com for";
RUST d[] = "cannot parsehttps://api.github.comUnable to";
RUST e[] = "http://169.254.169.254failed";
RUST f[] = "tsconfighttps://packagesplatform bad";
RUST g[] = "\\0https://whole.rust-cloud.com\\0";
"""


def test_where_strings_stand_end_to_end_a_host_ends_at_its_suffix(compiled):
    """What runs into the next string is cut behind the public suffix or the address, and is class D."""
    data = compiled(RUN_ON)
    assert of_class(data, "D") == {"api.first.io", "docs.in-go.com", "api.github.com", "169.254.169.254"}
    assert of_class(data, "B") == {"whole.rust-cloud.com"}
    assert of_class(data, "C") == set()
    assert {h.text for h in hosts(data)} >= {"https://api.github.com", "https://api.first.io"}


@pytest.mark.parametrize("length", [19, 0x2B, 0x2D, 0x2E])
def test_a_url_in_a_certificate_ends_where_its_length_says(compiled, length):
    """The byte behind a DER string is no part of the host, nor is the length, which may be a + or a dot, of its scheme; and
    what a certificate names is no load of the app.
    """
    url = b"http://ocsp.accv.es".ljust(length, b"/")
    row = f'__attribute__((used, section("__TEXT,__const"))) static const char der[] = "{"0" * 60}";'
    data = compiled(row).replace(b"0" * 60, (b"\x30\x15\x86" + bytes((len(url),)) + url + b"0\x82").ljust(60, b"\0"))
    assert [(h.endpoint.host, h.confidence.value, h.text) for h in hosts(data)] == [("ocsp.accv.es", "D", url.decode())]


def test_what_a_certificate_names_anywhere_is_no_load(compiled):
    """A URL in a subject or a notice, with no length of its own before it, is as unsure; behind the certificate it is not."""
    inside = b"\xa0\x03\x02\x01\x02" + b"notice http://cps.ferry.dev/ "
    size = len(inside) + 4
    whole = b"0\x82" + size.to_bytes(2, "big") + b"0\x82" + len(inside).to_bytes(2, "big") + inside
    row = f'__attribute__((used, section("__TEXT,__const"))) static const char der[] = "{"0" * 99}";'
    data = compiled(row).replace(b"0" * 99, (whole + b"\0https://api.ferry.dev/").ljust(99, b"\0"))
    assert [(h.endpoint.host, h.confidence.value) for h in hosts(data)] == [
        ("cps.ferry.dev", "D"),
        ("api.ferry.dev", "B"),
    ]


def test_a_utf_16_url_with_a_count_before_it_ends_where_that_says(compiled):
    """A literal of Kotlin/Native has no NUL behind it: the pointer that follows is no letter of the host."""
    url = "https://kn.example.com"
    literal = struct.pack("<QI", 0x4000, len(url)) + url.encode("utf-16-le") + struct.pack("<Q", 0x6140)
    row = f'__attribute__((used, section("__TEXT,__const"))) static const char kn[] = "{"0" * 80}";'
    data = compiled(row).replace(b"0" * 80, literal.ljust(80, b"\0"))
    assert [(h.endpoint.host, h.confidence.value, h.text) for h in hosts(data)] == [("kn.example.com", "B", url)]


def test_objects_of_a_static_library_keep_the_classes_of_their_sections(build, compiled, tmp_path):
    """An archive made of a compiled object gives the same hosts as the linked file."""
    source = tmp_path / "source.m"
    source.write_text(SOURCE)
    clang = build.tools()[0]
    subprocess.run([clang, "-target", "arm64-apple-ios15.0", "-c", source, "-o", tmp_path / "o.o"], check=True)
    body = (tmp_path / "o.o").read_bytes()
    body += b"\n" * (len(body) % 2)
    data = b"!<arch>\n" + f"{'o.o':16}{'0':12}{'0':6}{'0':6}{'644':8}{len(body):<10}`\n".encode() + body
    assert of_class(data, "C") == CLASS_C
    assert of_class(data, "D") == CLASS_D


def test_what_is_encrypted_gives_no_bare_hosts(compiled):
    """Of sections within the range that FairPlay encrypts nothing is taken."""
    data = compiled(SOURCE)
    sections = [s for s in images_in(data)[0].sections if s.segment == "__TEXT"]
    at = data.index(struct.pack("<II", 0x2C, 24))
    first, last = min(s.start for s in sections), max(s.end for s in sections)
    hidden = data[: at + 8] + struct.pack("<3I", first, last - first, 1) + data[at + 20 :]
    assert of_class(hidden, "C") == {"data.whole.cloud"}
    assert any("FairPlay" in s.reason for s in mach_o_strings.read("x", hidden) if isinstance(s, Trouble))


def test_a_damaged_file_gives_no_host_more_than_class_d():
    """Where no layout is known, no string is surely a whole one."""
    data = b"\xca\xfe\xba\xbe\0\0\0\1\1\0\0\x0c" + bytes(16) + b"\0api.example.com\0 https://load.example.com/\0"
    assert {(h.endpoint.host, h.confidence.value) for h in hosts(data)} == {
        ("api.example.com", "D"),
        ("load.example.com", "B"),
    }
