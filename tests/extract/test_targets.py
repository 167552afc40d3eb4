"""What a target of the command line is, and the one line for each that is none."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atsprobe.extract.extract import extract
from atsprobe.model.endpoint import Argument

HOSTS = [
    ("api.example.com", "https", "api.example.com:443"),
    ("API.Example.com.", "https", "api.example.com:443"),
    ("api.example.com:8443", "https", "api.example.com:8443"),
    ("api.example.com:80", "https", "api.example.com:80"),
    ("localhost", "https", "localhost:443"),
    ("https://api.example.com", "https", "api.example.com:443"),
    ("https://user@api.example.com:8443/x?y", "https", "api.example.com:8443"),
    ("http://api.example.com/", "http", "api.example.com:80"),
    ("ws://api.example.com/", "http", "api.example.com:80"),
    ("WSS://api.example.com", "https", "api.example.com:443"),
    ("192.0.2.1", "https", "192.0.2.1:443"),
    ("192.0.2.1:8443", "https", "192.0.2.1:8443"),
    ("2001:DB8::1", "https", "[2001:db8::1]:443"),
    ("[2001:db8::1]", "https", "[2001:db8::1]:443"),
    ("[2001:db8::1]:8443", "https", "[2001:db8::1]:8443"),
    ("http://[2001:db8::1]:8080/", "http", "[2001:db8::1]:8080"),
    ("bücher.example", "https", "xn--bcher-kva.example:443"),
]
FORMS = "give a path, HOST[:PORT], an IP address or a URL"
PORTS = "a port is a number from 1 to 65535"
BAD = [
    ("", "an empty target", FORMS),
    ("api.example.com:0", "port 0 is no port", PORTS),
    ("api.example.com:65536", "port 65536 is no port", PORTS),
    ("api.example.com:https", "'https' is no port", PORTS),
    ("api.example.com:", "no port after the colon", PORTS),
    ("http://api.example.com:0/", "port 0 is no port", PORTS),
    ("h" * 300, "a host of 300 characters; a host name has at most 253", FORMS),
    ("h" * 300 + ".example.com:443", "a host of 312 characters; a host name has at most 253", FORMS),
    (
        "a" * 64 + ".example.com",
        f"neither a path that exists nor a host: {'a' * 64!r} is no label of a host name",
        FORMS,
    ),
    ("two words", "neither a path that exists nor a host: ", FORMS),
    ("a..b", "neither a path that exists nor a host: '' is no label of a host name", FORMS),
    ("1.2.3", "neither a path that exists nor a host: the last label of a host name is not a number", FORMS),
    ("[2001:db8::1", "not an IPv6 literal", "write it as [2001:db8::1] or [2001:db8::1]:8443"),
    ("[api.example.com]", "what stands in brackets is no IPv6 address", FORMS),
    ("https://", "a URL without a host", FORMS),
    (
        "ftp://a.example.com/",
        "ftp:// is nothing that App Transport Security governs",
        "give http://, https://, ws:// or wss://",
    ),
    ("Missing.ipa", "no such file", ""),
    ("example.com/v1", "no such file", "a host? write https://example.com/v1"),
    ("cash.app", "no such file", "a host? write https://cash.app"),
    ("nowhere/Info.plist", "no such file", ""),
    ("@missing.txt", "no such file", ""),
    ("a\udcff.example.com", "neither a path that exists nor a host: not UTF-8", FORMS),
    ("a\0b", "neither a path that exists nor a host: ", FORMS),
]


pytestmark = pytest.mark.usefixtures("in_empty_folder")


@pytest.mark.parametrize(("text", "scheme", "endpoint"), HOSTS)
def test_a_host_or_url_names_one_endpoint(text, scheme, endpoint):
    """Each spelling of a host, an address or a URL gives its endpoint, as a load of the command line's own."""
    extraction = extract([text])
    (reference,) = extraction.references
    assert (reference.endpoint.scheme, str(reference.endpoint)) == (scheme, endpoint)
    assert (reference.kind, reference.bundle, reference.location, reference.file) == (
        "command-line",
        None,
        Argument(),
        "",
    )
    assert extraction.skipped == ()


@pytest.mark.parametrize(("text", "reason", "advice"), BAD)
def test_a_bad_target_is_one_line_and_the_others_are_read(text, reason, advice):
    """What is wrong and what to do is said in one line, the target counts as unreadable, and the next one is still taken."""
    extraction = extract([text, "api.example.com"])
    (skipped,) = extraction.skipped
    assert skipped.reason.startswith(reason)
    assert (skipped.advice, skipped.unreadable) == (advice, True)
    assert "\n" not in skipped.target + skipped.reason + skipped.advice
    skipped.target.encode()
    assert [str(r.endpoint) for r in extraction.references] == ["api.example.com:443"]


def test_a_file_of_a_similar_name_is_offered():
    """A mistyped path is told which file was meant, as it would be typed."""
    Path("build").mkdir()
    Path("build/Ferry.ipa").touch()
    Path("hosts.txt").write_text("a.example.com")
    assert [s.advice for s in extract(["build/Fery.ipa", "@host.txt"]).skipped] == [
        "did you mean build/Ferry.ipa?",
        "did you mean @hosts.txt?",
    ]


def test_a_path_that_exists_wins_over_a_host():
    """A file called like a host is read, and not taken for the host."""
    Path("api.example.com").write_text("https://other.example.com/")
    assert [r.endpoint.host for r in extract(["api.example.com"]).references] == ["other.example.com"]


def test_a_list_gives_a_target_a_line():
    """Blank lines and comments are left out, a host knows its line, and a bad line is one line of trouble."""
    Path("hosts.txt").write_bytes(
        b"\xef\xbb\xbf# ours\na.example.com\r\n\n  b.example.com:8443  # backup\n\xff.example.com\nx:0\n"
    )
    extraction = extract(["@hosts.txt"])
    assert [(r.text, r.file, r.location) for r in extraction.references] == [
        ("a.example.com", "hosts.txt", Argument(2)),
        ("b.example.com:8443", "hosts.txt", Argument(4)),
    ]
    assert [(s.target, s.reason) for s in extraction.skipped] == [
        ("\\xff.example.com", "neither a path that exists nor a host: not UTF-8 (line 5 of hosts.txt)"),
        ("x:0", "port 0 is no port (line 6 of hosts.txt)"),
    ]


@pytest.mark.parametrize("stream", [io.StringIO("a.example.com\n"), io.BytesIO(b"a.example.com\n")])
def test_standard_input_is_a_list(stream):
    """A dash reads targets from the stream that is given, of text or of bytes."""
    assert [str(r.endpoint) for r in extract(["-"], stdin=stream).references] == ["a.example.com:443"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no target in hosts.txt"),
        (b"# nothing\n\n", "no target in hosts.txt"),
        ("a.example.com".encode("utf-16"), "a list of targets in UTF-16"),
        (b"@hosts.txt\n", "a list of targets inside a list (line 1 of hosts.txt)"),
        (b"-\n", "a list of targets inside a list (line 1 of hosts.txt)"),
    ],
)
def test_a_list_that_gives_nothing_is_said_to(content, reason):
    """An empty list, one in another encoding, and one that names lists do not pass in silence."""
    Path("hosts.txt").write_bytes(content)
    (skipped,) = extract(["@hosts.txt"]).skipped
    assert (skipped.reason, skipped.unreadable) == (reason, True)


def test_a_list_may_come_through_a_pipe():
    """A named pipe, as the shell makes for @<(command), is read to its end."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_text("a.example.com\n"))
    writer.start()
    assert [r.text for r in extract(["@pipe"]).references] == ["a.example.com"]
    writer.join()


@pytest.mark.parametrize("name", ["pipe", "/dev/null"])
def test_what_is_no_file_is_not_waited_for(name):
    """A pipe or a device as a target is refused at once."""
    if name == "pipe":
        os.mkfifo(name)
    (skipped,) = extract([name]).skipped
    assert (skipped.reason, skipped.unreadable) == ("not a file or a folder", True)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.ipa", b"", "an empty file"),
        ("text.ipa", b"hello", "not a zip archive, as an .ipa is"),
        ("empty.plist", b"", "an empty file"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0", "not an app, a property list, a Mach-O file or text"),
    ],
)
def test_a_file_of_no_use_is_said_to_be(name, content, reason):
    """A file that holds nothing to extract from is unreadable, with the reason."""
    Path(name).write_bytes(content)
    (skipped,) = extract([name]).skipped
    assert (skipped.reason, skipped.file, skipped.unreadable) == (reason, "", True)


def test_a_broken_link_and_an_empty_folder_are_said_to_be():
    """A link to nothing, and a folder without a file, are unreadable."""
    Path("link").symlink_to("nowhere")
    Path("Empty.app").mkdir()
    assert [(s.reason, s.unreadable) for s in extract(["link", "Empty.app"]).skipped] == [
        ("no such file or directory", True),
        ("an empty folder", True),
    ]


def test_the_same_path_is_read_once():
    """A path given twice gives its hosts once."""
    Path("a.txt").write_text("https://a.example.com/")
    assert len(extract(["a.txt", "a.txt"]).references) == 1


@given(st.one_of(st.text(max_size=80), st.from_regex(r"(https?://)?[\\[\\]a-z0-9.:@/%-]{0,40}", fullmatch=True)))
def test_any_text_is_a_target_or_one_line(text):
    """No text on the command line is an error of ours, and what is wrong with it stands on one line."""
    assume(not os.path.lexists(text.replace("\0", "")) and not text.lstrip("@").startswith(("/", "~", "-")))
    extraction = extract([text], stdin=io.BytesIO(b""))
    assert len(extraction.references) + len(extraction.skipped) == 1
    assert all("\n" not in s.reason and s.unreadable for s in extraction.skipped)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_of_targets_or_one_line(data):
    """No bytes on standard input are an error of ours."""
    assume(b"/" not in data and b"." not in data)
    for skipped in extract(["-"], stdin=io.BytesIO(data)).skipped:
        skipped.target.encode()
