"""Whole values in text: what is a bare host in JavaScript, JSON, strings, settings, XML and property lists, and what is not."""

from __future__ import annotations

import plistlib
import time

import pytest

from atsprobe.extract.readers import reader
from atsprobe.extract.sighting import HostSighting, TemplateSighting, Trouble


def read(path, content):
    content = content.encode() if isinstance(content, str) else content
    return list(reader.format_of(path, content[:4096]).read(path, content))


def hosts(sightings, kind="bare-host"):
    return [
        (s.endpoint.host, s.confidence.value, str(s.location))
        for s in sightings
        if isinstance(s, HostSighting) and s.kind == kind
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("main.jsbundle", "javascript"),
        ("www/index.html", "javascript"),
        ("config.json", "json"),
        ("Localizable.xcstrings", "json"),
        ("en.lproj/Localizable.strings", "strings"),
        ("pubspec.yaml", "settings"),
        (".well-known/a.properties", "settings"),
        ("a.xml", "xml"),
        ("a.css", "text"),
        ("LICENSE", "text"),
    ],
)
def test_text_is_read_by_the_reader_of_its_syntax(path, name):
    """Each suffix leads to its reader, what has none to plain text, and what holds a NUL to none of them."""
    assert reader.format_of(path, b"a").name == name
    assert reader.format_of(path, b"a\0b") is None
    assert reader.format_of(path, b"") is None


def test_javascript_takes_quoted_literals_and_no_property_chain():
    """Between two quotes of one kind stands a string; what is outside them, or only part of one, is none."""
    script = """fetch("a.example.com",'b.example.io',`c.example.dev`),e.name.com,x["org"].example.com,
    "see d.example.com","https://e.example.com/",'f.example.com",f.example.io","g.Example.com","com.example.ferry"
    ,h.example.com"""
    found = read("main.jsbundle", script)
    assert hosts(found) == [("a.example.com", "C", "1"), ("b.example.io", "C", "1"), ("c.example.dev", "C", "1")]
    assert hosts(found, "url") == [("e.example.com", "B", "2")]


def test_a_bare_host_in_a_comment_is_less_sure():
    """A literal behind // is said, but not taken for one that the app uses."""
    assert hosts(read("a.js", "// 'a.example.com'\nf('b.example.com')\n")) == [
        ("b.example.com", "C", "2"),
        ("a.example.com", "D", "1"),
    ]


def test_json_takes_values_and_no_keys():
    """String values are taken, in objects and lists, with escapes undone; keys, which name packages, are not."""
    text = r"""{"a.example.com": 1, "k" : "b.example.com", "l":["c.example.com","see d.example.com"],
    "e": "\u0065.example\u002ecom", "f": "\u0066\u0020.example.com", "u": "https:\/\/g.example.com\/x", "h": "i\"j.example.com",
    "socket.io": "1.2.3"}"""
    found = read("config.json", text)
    assert hosts(found) == [("b.example.com", "C", "1"), ("c.example.com", "C", "1"), ("e.example.com", "C", "2")]
    assert hosts(found, "url") == [("g.example.com", "B", "2")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_strings_files_take_values_and_no_keys(encoding):
    """``"k" = "v";`` and what OpenStep writes without quotes; a key that is a host is no value."""
    text = """/* "z.example.com" */
"a.example.com" = "Besuchen";
"visit" = "b.example.com";
"say" = "c.example.com, or call";
host = d.example.com;
list = ( e.example.com, "f.example.com" );
"u" = "https://g.example.com/";
"""
    found = read("en.lproj/Localizable.strings", text.encode(encoding))
    assert [h for h, _, _ in hosts(found)] == ["b.example.com", "d.example.com", "e.example.com", "f.example.com"]
    assert hosts(found)[0][2] == "3"
    assert [h for h, _, _ in hosts(found, "url")] == ["g.example.com"]


def test_settings_take_what_follows_the_key():
    """Values of YAML, TOML, INI and build settings; comments are less sure, and prose is nothing."""
    text = """host: a.example.com
- b.example.com
quoted: "c.example.com" # primary
list: [d.example.com, 'e.example.com']
KEY=f.example.com
# old: g.example.com
text: ask h.example.com
at.example.com
last = i.example.com"""
    assert hosts(read("a.yaml", text)) == [
        ("a.example.com", "C", "1"),
        ("b.example.com", "C", "2"),
        ("c.example.com", "C", "3"),
        ("d.example.com", "C", "4"),
        ("e.example.com", "C", "4"),
        ("f.example.com", "C", "5"),
        ("i.example.com", "C", "9"),
        ("g.example.com", "D", "6"),
    ]


def test_xml_takes_texts_and_attributes():
    """A whole text and a whole attribute are values; part of a text, a name and a comment's are not."""
    text = """<?xml version="1.0"?>
<root host="a.example.com" other='b.example.com'><c>c.example.com</c><d>
 d.example.com </d><e>see e.example.com</e><f.example.com/></root>"""
    assert [h for h, _, _ in hosts(read("config.xml", text))] == ["a.example.com", "b.example.com", "c.example.com"]


def test_values_of_a_property_list_are_whole_strings():
    """A string value that is a host is one, in XML and binary, by its path; identifiers and versions are none."""
    value = {
        "Server": "api.example.com",
        "Others": ["eu.example.com", "https://url.example.com/"],
        "CFBundleIdentifier": "com.example.ferry",
        "Version": "1.2.3",
        "a.example.com": 1,
    }
    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        found = read("mfpclient.plist", plistlib.dumps(value, fmt=form, sort_keys=False))
        assert [(h, c) for h, c, _ in hosts(found)] == [("api.example.com", "C"), ("eu.example.com", "C")]
        assert hosts(found)[0][2].endswith("Server")
        assert [h for h, _, _ in hosts(found, "url")] == ["url.example.com"]


def test_a_property_list_in_openstep_form_is_read_as_strings_and_unsure():
    """The old form is said to be no list, and its values are listed as unsure."""
    found = read("a.plist", '{ host = "a.example.com"; }')
    assert isinstance(found[0], Trouble)
    assert [(h, c) for h, c, _ in hosts(found)] == [("a.example.com", "D")]


def test_a_namespace_in_a_bundle_is_not_a_set_of_hosts():
    """More than ten literals that share their first label are names of something else."""
    many = ",".join(f'"metric.m{n}.io"' for n in range(11))
    assert hosts(read("a.js", many + ',"a.example.com"')) == [("a.example.com", "C", "1")]


def test_templates_and_escapes_of_urls_are_found_in_every_syntax():
    r"""URLs that are written with ``\/`` or ``%3A%2F%2F``, and URLs with a part that is filled in."""
    for path in ("a.js", "a.json", "a.strings", "a.yaml", "a.xml"):
        found = read(
            path, r'"https:\/\/a.example.com\/", "u=https%3A%2F%2Fb.example.com%2F", "https://%@.example.net/"'
        )
        assert [h for h, _, _ in hosts(found, "url")] == ["a.example.com", "b.example.com"]
        assert [s.suffix for s in found if isinstance(s, TemplateSighting)] == ["example.net"]


def test_a_template_of_the_port_alone_names_its_host():
    """Of ``http://localhost:${port}`` the host is whole; of ``https://${a}.example.net`` it is the end of one."""
    found = read(
        "a.js", 'a="http://localhost:${port}/x";b="http://[2001:db8::1]:%d/";c="https://${a}.example.net:${port}"'
    )
    assert [(s.suffix, s.is_whole_host) for s in found if isinstance(s, TemplateSighting)] == [
        ("localhost", True),
        ("2001:db8::1", True),
        ("example.net", False),
    ]


HOSTILE = {
    "a": b"a" * 8_000_000,
    "a.": b"a." * 4_000_000,
    "http://": b"http://" * 1_150_000,
    '"ab.io"': b'"ab.io"' * 1_150_000,
    ".io'": b".io'" * 2_000_000,
    "=b.io;": b"a=b.io;\n" * 1_000_000,
    "- b.io": b"- b.io\n" * 1_150_000,
    ">ab.io<": b">ab.io<" * 1_150_000,
    "labels": (b'"' + b"a" * 250 + b'.com"') * 31_000,
    "blanks": (b"=" + b" " * 78 + b'"ab.io"') * 93_000,
    "escapes": b'"\\u002e' * 1_150_000,
    "comments": b"//'ab.io'\n" * 800_000,
}


@pytest.mark.parametrize("suffix", ["js", "json", "strings", "yaml", "xml"])
@pytest.mark.parametrize("name", HOSTILE)
def test_eight_megabytes_made_to_be_slow_are_not(name, suffix):
    """What makes a search for hosts quadratic, or gives a place to look at in every few bytes, is read in linear time."""
    start = time.process_time()
    read(f"a.{suffix}", HOSTILE[name])
    assert time.process_time() - start < 4  # measured: 1.1 s at most


def test_a_bundle_of_one_line_is_no_trouble():
    """A hundred megabytes of JavaScript without a line break are read to the end."""
    content = b"var a=e.name.io;" * 6_250_000 + b'f("a.example.com","https://b.example.com/")'
    start = time.process_time()
    found = read("main.jsbundle", content)
    assert time.process_time() - start < 10  # measured: 0.6 s
    assert hosts(found) == [("a.example.com", "C", "1")]
    assert hosts(found, "url") == [("b.example.com", "B", "1")]
