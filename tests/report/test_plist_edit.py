"""An Info.plist edited in place, and the diff of it, applied by git and by patch."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsprobe.report.plist_edit import ATS, applied, edits
from atsprobe.report.plist_tree import Uneditable
from atsprobe.report.unified_diff import unified_diff

APPLE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>CFBundleIdentifier</key>
	<string>org.example.ferry &amp; co &#x2014; B&#252;cher</string>
	<!-- why we have exceptions: see the wiki -->
	<key>NSAppTransportSecurity</key>
	<dict>
		<!-- all of them -->
		<key>NSExceptionDomains</key>
		<dict>
			<key>legacy.example.com</key>
			<dict>
				<key>NSExceptionMinimumTLSVersion</key>
				<string>TLSv1.0</string> <!-- until 2027 -->
				<key>NSIncludesSubdomains</key>
				<true/>
			</dict>

			<key>EXAMPLE.com</key>
			<dict/>

			<key>kept.example.com</key>
			<dict>
				<key>NSExceptionRequiresForwardSecrecy</key>
				<false/>
			</dict>
		</dict>
	</dict>
	<key>UILaunchScreen</key>
	<dict/>
</dict>
</plist>
"""
NO_PFS, LOW = {"NSExceptionRequiresForwardSecrecy": False}, {"NSExceptionMinimumTLSVersion": "TLSv1.1"}
KEPT = {"kept.example.com": NO_PFS}


def edited(text: str, dictionary, dropped=()) -> str:
    """Give the text after its edits."""
    data = text.encode()
    return applied(data, edits(data, dictionary, dropped)).decode()


def diff(text: str, dictionary, dropped=(), path="Info.plist") -> str:
    """Give the diff, less its two lines of header."""
    data = text.encode()
    return unified_diff(path, data, edits(data, dictionary, dropped)).decode().partition("+++ ")[2].partition("\n")[2]


def test_one_key_changes_one_line():
    """A lower floor is one line out, one in; the comment on it, the key beside it and all else stay."""
    wanted = {"legacy.example.com": {**LOW, "NSIncludesSubdomains": True}, "EXAMPLE.com": {}, **KEPT}
    assert diff(APPLE, {"NSExceptionDomains": wanted}) == (
        "@@ -13,7 +13,7 @@\n"
        " \t\t\t<key>legacy.example.com</key>\n"
        " \t\t\t<dict>\n"
        " \t\t\t\t<key>NSExceptionMinimumTLSVersion</key>\n"
        "-\t\t\t\t<string>TLSv1.0</string> <!-- until 2027 -->\n"
        "+\t\t\t\t<string>TLSv1.1</string> <!-- until 2027 -->\n"
        " \t\t\t\t<key>NSIncludesSubdomains</key>\n"
        " \t\t\t\t<true/>\n"
        " \t\t\t</dict>\n"
    )


def test_what_goes_takes_its_lines_along_and_leaves_one_blank_line():
    """An entry that goes leaves neither an empty line more nor a trace of itself; a new one stands as its neighbours do."""
    wanted = {"legacy.example.com": LOW, **KEPT, "new.example.com": {"NSExceptionAllowsInsecureHTTPLoads": True}}
    assert diff(APPLE, {"NSExceptionDomains": wanted}) == (
        "@@ -13,19 +13,19 @@\n"
        " \t\t\t<key>legacy.example.com</key>\n"
        " \t\t\t<dict>\n"
        " \t\t\t\t<key>NSExceptionMinimumTLSVersion</key>\n"
        "-\t\t\t\t<string>TLSv1.0</string> <!-- until 2027 -->\n"
        "-\t\t\t\t<key>NSIncludesSubdomains</key>\n"
        "-\t\t\t\t<true/>\n"
        "+\t\t\t\t<string>TLSv1.1</string> <!-- until 2027 -->\n"
        " \t\t\t</dict>\n"
        " \n"
        "-\t\t\t<key>EXAMPLE.com</key>\n"
        "-\t\t\t<dict/>\n"
        "-\n"
        " \t\t\t<key>kept.example.com</key>\n"
        " \t\t\t<dict>\n"
        " \t\t\t\t<key>NSExceptionRequiresForwardSecrecy</key>\n"
        " \t\t\t\t<false/>\n"
        " \t\t\t</dict>\n"
        "+\t\t\t<key>new.example.com</key>\n"
        "+\t\t\t<dict>\n"
        "+\t\t\t\t<key>NSExceptionAllowsInsecureHTTPLoads</key>\n"
        "+\t\t\t\t<true/>\n"
        "+\t\t\t</dict>\n"
        " \t\t</dict>\n"
        " \t</dict>\n"
        " \t<key>UILaunchScreen</key>\n"
    )


def test_the_whole_key_goes_and_nothing_else():
    """Where nothing is left to say, NSAppTransportSecurity is gone, and the text around it is as it was."""
    before, _, rest = APPLE.partition("\t<key>NSAppTransportSecurity</key>\n")
    assert edited(APPLE, {}) == before + rest[rest.index("\t<key>UILaunchScreen") :]


def test_the_whole_key_comes_and_nothing_else():
    """Where there was none, it stands behind the other keys."""
    text = edited(APPLE, {})
    assert edited(text, {"NSAllowsLocalNetworking": True}) == text.replace(
        "\t<dict/>\n</dict>\n",
        "\t<dict/>\n\t<key>NSAppTransportSecurity</key>\n\t<dict>\n\t\t<key>NSAllowsLocalNetworking</key>\n\t\t<true/>\n"
        "\t</dict>\n</dict>\n",
    )


def test_what_is_declared_already_is_no_change():
    """The same dictionary gives no edit at all, whatever the order of its keys; integer 1 is as good as true."""
    declared = plistlib.loads(APPLE.encode())[ATS]
    assert edits(APPLE.encode(), dict(reversed(declared.items()))) == ()
    assert unified_diff("Info.plist", APPLE.encode(), ()) == b""
    as_number = APPLE.replace("<false/>", "<integer>0</integer>")
    assert edits(as_number.encode(), declared) == ()


def test_stray_keys_at_the_top_go():
    """A key that was meant for NSAppTransportSecurity and stands outside it goes with its line."""
    stray = APPLE.replace("<dict>\n\t<key>CF", "<dict>\n\t<key>NSAllowsArbitraryLoads</key>\n\t<true/>\n\t<key>CF")
    assert edited(stray, plistlib.loads(APPLE.encode())[ATS], {"NSAllowsArbitraryLoads"}) == APPLE


@pytest.mark.parametrize("unit", ["  ", "    ", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("ends", [True, False], ids=["with a last line end", "without"])
def test_indentation_line_ends_and_the_end_of_the_file_are_kept(unit, newline, ends):
    """New lines look like the old ones: blanks or tabs, LF or CRLF, with or without a last line end."""
    text = APPLE.rstrip().replace("\t", unit).replace("\n", newline) + newline * ends
    after = edited(text, {"NSExceptionDomains": {"new.example.com": NO_PFS}})
    assert after.endswith("</plist>" + newline * ends)
    assert after.count("\n") == after.count(newline)
    entry = ["<dict>", f"{unit}<key>NSExceptionRequiresForwardSecrecy</key>", f"{unit}<false/>", "</dict>"]
    new = newline.join(3 * unit + line for line in ("<key>new.example.com</key>", *entry))
    assert new + newline + 2 * unit + "</dict>" in after


BARE = "<plist><dict>{}</dict></plist>"
LAYOUTS = {
    "on one line": (
        BARE.format("<key>a</key><true/>"),
        BARE.format(f"<key>a</key><true/><key>{ATS}</key><dict><key>NSUnknown</key><true/></dict>"),
    ),
    "an empty dictionary": (
        BARE.format(""),
        BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>\n\t\t<true/>\n\t</dict>\n"),
    ),
    "an empty tag": (
        "<plist>\n<dict/></plist>",
        f"<plist>\n<dict>\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>\n\t\t<true/>\n\t</dict>\n</dict></plist>",
    ),
    "key and value on a line": (
        BARE.format("\n  <key>a</key> <true/>\n"),
        BARE.format(
            f"\n  <key>a</key> <true/>\n  <key>{ATS}</key>\n  <dict>\n    <key>NSUnknown</key> <true/>\n  </dict>\n"
        ),
    ),
    "the last value and the end on a line": (
        BARE.format("\n <key>a</key>\n <true/>"),
        BARE.format(
            f"\n <key>a</key>\n <true/>\n <key>{ATS}</key>\n <dict>\n \t<key>NSUnknown</key>\n \t<true/>\n </dict>"
        ),
    ),
    "a comment at the end": (
        BARE.format("\n\t<key>a</key>\n\t<true/>\n\t<!-- <key>b</key> -->\n"),
        BARE.format(
            f"\n\t<key>a</key>\n\t<true/>\n\t<!-- <key>b</key> -->\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>"
            "\n\t\t<true/>\n\t</dict>\n"
        ),
    ),
    "a value of the wrong type": (
        BARE.format(f"\n\t<key>{ATS}</key>\n\t<string>none</string>\n"),
        BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>\n\t\t<true/>\n\t</dict>\n"),
    ),
    "the key twice": (
        BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict/>\n\t<key>{ATS}</key>\n\t<dict>\n\t</dict>\n"),
        BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>\n\t\t<true/>\n\t</dict>\n"),
    ),
    "the key in other words": (
        BARE.format("\n\t<key>NSApp<![CDATA[Transport]]>&#83;ecurity<!-- ! --></key >\n\t<dict ></dict >\n"),
        BARE.format(
            "\n\t<key>NSApp<![CDATA[Transport]]>&#83;ecurity<!-- ! --></key >\n\t<dict >\n\t\t<key>NSUnknown</key>\n\t\t<true/>"
            "\n\t</dict >\n"
        ),
    ),
    "lines before the XML": (
        "\n<!-- generated -->\n" + BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict/>\n"),
        "\n<!-- generated -->\n"
        + BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>\n\t\t<true/>\n\t</dict>\n"),
    ),
    "a byte order mark": (
        "\ufeff" + BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict/>\n"),
        "\ufeff" + BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict>\n\t\t<key>NSUnknown</key>\n\t\t<true/>\n\t</dict>\n"),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name):
    """Whatever the layout, what is new follows it, and the rest stays to the byte."""
    before, after = LAYOUTS[name]
    assert edited(before, {"NSUnknown": True}) == after


def test_removal_on_a_line_with_others():
    """What shares a line with something else leaves that alone."""
    inside = "<key>a</key><true/> <key>NSAppTransportSecurity</key> <dict/> <key>b</key><true/>"
    assert edited(BARE.format(inside), {}) == BARE.format("<key>a</key><true/> <key>b</key><true/>")
    ended = BARE.format(f"\n\t<key>{ATS}</key>\n\t<dict/> <!-- here -->\n")
    assert edited(ended, {}) == BARE.format("\n\t<!-- here -->\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ NSAppTransportSecurity = {}; }", "not a property list in XML"),
        ("<plist><array/></plist>", "holds no dictionary"),
        ("<plist><dict></plist>", "line 1: mismatched tag"),
        (
            '<!DOCTYPE plist [<!ENTITY a "b">]><plist><dict/></plist>',
            "declares an XML entity, which no property list does",
        ),
        ("<plist><dict><key>a</key></dict></plist>", "not a property list"),
        ('<?xml version="1.0" encoding="klingon"?><plist><dict/></plist>', "an encoding that is not known"),
    ],
)
def test_what_cannot_be_edited_is_said(text, why):
    """Never a guess, never a traceback."""
    with pytest.raises(Uneditable, match=re.escape(why)):
        edits(text.encode(), {"NSAllowsLocalNetworking": True})


PATHS = ["Info.plist", "App/Info.plist", "My App/In fo.plist", "Bücher/フェリー.plist", 'a"b\\c/tab\there.plist']


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("tool", ["git", "patch"])
@pytest.mark.parametrize(
    "text", [APPLE, APPLE.replace("\n", "\r\n"), APPLE.rstrip()], ids=["lf", "crlf", "no line end"]
)
@pytest.mark.parametrize("in_a_repository", [False, True], ids=["anywhere", "below a repository's top"])
def test_git_and_patch_apply_it(tmp_path, path, tool, text, in_a_repository):
    """The file that comes out is the edited one to the byte, in a repository's subfolder of the same name too."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    here = tmp_path / "App"
    (here / path).parent.mkdir(parents=True)
    (here / path).write_bytes(text.encode())
    wanted = {"NSExceptionDomains": {"new.example.com": NO_PFS, **KEPT}}
    made = edits(text.encode(), wanted)
    (here / "ats.diff").write_bytes(unified_diff(path, text.encode(), made))
    if in_a_repository:
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    command = ["git", "apply", "-p1", "ats.diff"] if tool == "git" else ["patch", "-s", "-p1", "-i", "ats.diff"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert (here / path).read_bytes() == applied(text.encode(), made)


_keys = st.sampled_from(
    ["NSAllowsLocalNetworking", "NSExceptionDomains", "a.example.com", "b.example.com", "Ü&<>", ATS]
)
_scalars = st.sampled_from([True, False, 1, "TLSv1.0", "a & <b>", b"\0\1", 1.5])
_values = st.recursive(
    _scalars, lambda inner: st.dictionaries(_keys, inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=8
)
_dictionaries = st.dictionaries(_keys, _values, max_size=4)


@st.composite
def _written(draw: st.DrawFn, value) -> str:
    """Write a dictionary as somebody might: any blanks, comments and line ends between its parts."""
    gap = st.sampled_from(["", " ", "\n", "\n\t", "\r\n  ", "\n\n\t\t", "\n<!-- c -->\n", " <!-- <key>x</key> -->"])
    if isinstance(value, dict):
        parts = [
            draw(gap) + f"<key>{k.replace('&', '&amp;').replace('<', '&lt;')}</key>" + draw(gap) + draw(_written(v))
            for k, v in value.items()
        ]
        return "<dict/>" if not parts and draw(st.booleans()) else f"<dict>{''.join(parts)}{draw(gap)}</dict>"
    if isinstance(value, list):
        return "<array>" + "".join(draw(gap) + draw(_written(v)) for v in value) + "</array>"
    return (
        plistlib.dumps(value).decode().partition('">\n')[2].rpartition("\n</plist>")[0].partition('">\n')[2]
        or "<true/>"
    )


@settings(max_examples=200, deadline=None)
@given(st.data(), _dictionaries, _dictionaries)
def test_any_layout_and_any_change(data, before, wanted):
    """What comes out holds just what it should (edits() checks it), and comments outside of what went are all there."""
    text = f"<plist>{data.draw(_written(before))}</plist>"
    dictionary = plistlib.loads(plistlib.dumps(wanted))
    made = edits(text.encode(), _tuples(dictionary))
    after = applied(text.encode(), made)
    loaded = plistlib.loads(after)
    assert loaded.pop(ATS, {}) == dictionary
    assert loaded == {k: v for k, v in plistlib.loads(text.encode()).items() if k != ATS}
    gone = "".join(text.encode()[e.start : e.end].decode() for e in made)
    assert after.decode().count("<!--") == text.count("<!--") - gone.count("<!--")


def _tuples(value):
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
