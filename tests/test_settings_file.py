"""The settings file: where it is found, what it may hold, and the line for what it may not."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atsprobe.model.judgement import Waiver
from atsprobe.model.recording import IgnoreRule
from atsprobe.pipelines.config import requirement_ids
from atsprobe.settings import UsageProblem
from atsprobe.settings_file.document import read_document
from atsprobe.settings_file.find import find_settings, settings_at
from atsprobe.settings_file.options import OPTIONS
from atsprobe.settings_file.read import SettingsFile, read_settings
from atsprobe.settings_file.toml_lines import key_lines, line_of

WAIVER = """
[[waiver]]
host = "api.example.com"
requirement = "certificate-validity"
reason = "renewed in December"
owner = "ops@example.com"
expires = 2026-12-31
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, name: str = "atsprobe.toml") -> SettingsFile:
    Path(name).write_text(text, "utf-8")
    document = read_document(Path(name), name)
    assert document is not None
    return read_settings(document, requirement_ids)


def problem(text: str | bytes, name: str = "atsprobe.toml") -> UsageProblem:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageProblem) as caught:
        document = read_document(Path(name), name)
        assert document is not None
        read_settings(document, requirement_ids)
    return caught.value


def test_every_kind_of_value_is_read_with_its_line() -> None:
    """Flags, numbers, texts and lists, a single text standing for a list of one; a byte order mark is no part of it."""
    file = read(
        '\ufeffios = "all"\nsdk = "18.2"\nca-file = ["a.pem",\n "b.pem"]\ntimeout = 2.5\njobs = 8\nquick = true\n'
    )
    assert {v.option: (v.value, v.line) for v in file.values} == {
        "ios": (("all",), 1),
        "sdk": ("18.2", 2),
        "ca-file": (("a.pem", "b.pem"), 3),
        "timeout": (2.5, 5),
        "jobs": (8, 6),
        "quick": (True, 7),
    }


def test_paths_are_from_the_folder_of_the_file() -> None:
    """Roots, lists of entries and the report lie beside the file, wherever one stands."""
    Path("below").mkdir()
    text = 'ca-file = "root.pem"\nresolve = ["a:1:::1", "@hosts.txt"]\noutput = "ats.json"\n'
    file = read(text, "below/atsprobe.toml")
    assert [v.value for v in file.values] == [
        ("below/root.pem",),
        ("a:1:::1", "@below/hosts.txt"),
        "below/ats.json",
    ]


def test_tables_are_read_with_their_place() -> None:
    """Hosts in one spelling, a key's domain as it is spelled, a date bare or in quotes."""
    file = read(
        '[[ignored]]\nhost = "*.B\u00dcCHER.example."\nreason = " vpn "\n'
        + WAIVER
        + '[[waiver]]\ndomain = "EXAMPLE.com"\nkey = "NSIncludesSubdomains"\nbundle = "org.example.app"\n'
        'reason = "r"\nowner = "o"\nexpires = "2027-01-31"\n'
    )
    assert file.ignored == (IgnoreRule("*.xn--bcher-kva.example", "vpn", "atsprobe.toml:1"),)
    assert file.waivers == (
        Waiver(
            reason="renewed in December",
            owner="ops@example.com",
            expires=date(2026, 12, 31),
            host="api.example.com",
            requirement="certificate-validity",
            place="atsprobe.toml:5",
        ),
        Waiver(
            reason="r",
            owner="o",
            expires=date(2027, 1, 31),
            domain="EXAMPLE.com",
            key="NSIncludesSubdomains",
            bundle="org.example.app",
            place="atsprobe.toml:11",
        ),
    )


HINT_OF_WAIVER = "[[waiver]] has host or domain, requirement or key, reason, owner, expires, and may have bundle"
BAD = {
    "typo in an option": ("rate = 1\ntime-out = 3\n", "2: no such option: time-out", "did you mean timeout? atsprobe"),
    "an underscore": (
        "ca_file = 'a'\n",
        "1: no such option: ca_file",
        "did you mean ca-file? atsprobe config lists all",
    ),
    "typo in a key": (
        WAIVER.replace("expires", "expiry"),
        "7: waiver: no such key: expiry",
        f"did you mean expires? {HINT_OF_WAIVER}",
    ),
    "unknown table": (
        "[[waivers]]\n",
        "1: no such table: waivers",
        "did you mean waiver? the tables are [[ignored]] and",
    ),
    "unknown table far below": ("ios = 'all'\n\n\n[network]\na = 1\n", "4: no such table: network", "the tables are"),
    "one pair of brackets": (
        WAIVER.replace("[[waiver]]", "[waiver]"),
        "2: waiver: takes an array of tables, not a table",
        "[[waiver]], in two brackets",
    ),
    "no date": (
        WAIVER.replace("2026-12-31", '"next spring"'),
        '7: waiver: expires: "next spring" is no date',
        "the last day on which it holds: expires = 2027-03-31",
    ),
    "a day that is none": (WAIVER.replace("2026-12-31", '"2026-02-30"'), '7: waiver: expires: "2026-02-30" is no', ""),
    "a number for a date": (
        WAIVER.replace("2026-12-31", "20261231"),
        "7: waiver: expires: takes a date, not a whole",
        "",
    ),
    "a time for a date": (
        WAIVER.replace("2026-12-31", "2026-12-31T00:00:00Z"),
        "7: waiver: expires: takes a date, not a date with a time",
        "",
    ),
    "no owner": (WAIVER.replace('owner = "ops@example.com"\n', ""), "2: waiver: no owner given", HINT_OF_WAIVER),
    "no expiry": (WAIVER.replace("expires = 2026-12-31", ""), "2: waiver: no expires given", HINT_OF_WAIVER),
    "an empty reason": (WAIVER.replace("renewed in December", " "), "5: waiver: reason: is empty", ""),
    "neither": (
        WAIVER.replace('requirement = "certificate-validity"\n', ""),
        "2: waiver: no requirement or key given",
        HINT_OF_WAIVER,
    ),
    "both": (WAIVER + 'key = "NSAllowsArbitraryLoads"\n', "2: waiver: requirement and key: one of the two", ""),
    "host and domain": (WAIVER + 'domain = "example.com"\n', "8: waiver: host and domain: one of the two", ""),
    "no host": (WAIVER.replace('host = "api.example.com"\n', ""), "2: waiver: no host or domain given", ""),
    "no requirement of ours": (
        WAIVER.replace("certificate-validity", "certificate-valdity"),
        '4: waiver: requirement: no such requirement: "certificate-valdity"',
        "did you mean certificate-validity? ",
    ),
    "no host name": (
        WAIVER.replace("api.example.com", "https://api.example.com/"),
        '3: waiver: host: "https://api.example.com/" is no host name',
        'a bare name: host = "api.example.com"',
    ),
    "a wildcard": (
        WAIVER.replace("api.example.com", "*.example.com"),
        '3: waiver: host: "*.example.com" is no host name',
        'domain = "example.com" is that name and everything below it',
    ),
    "everything ignored": ('[[ignored]]\nhost = "*"\nreason = "x"\n', '2: ignored: host: "*" is no host name', ""),
    "ignored for no reason": ('[[ignored]]\nhost = "a.example"\n', "1: ignored: no reason given", ""),
    "a text for a number": ('timeout = "10"\n', "1: timeout: takes a number, not a string", "timeout = 10, say"),
    "a flag for a number": ("rate = true\n", "1: rate: takes a number, not a boolean", "rate = 1, say"),
    "a number for a flag": ("\nquick = 1\n", "2: quick: takes true or false, not a whole number", "quick = true, say"),
    "a part of a job": ("jobs = 1.5\n", "1: jobs: takes a whole number, not a number", "jobs = 64, say"),
    "a number for a text": ("sdk = 26\n", "1: sdk: takes a string, not a whole number", 'sdk = "26", say'),
    "a number in a list": (
        'ios = [\n  "17",\n  26,\n]\n',
        "3: ios: takes an array of strings, and holds a whole number",
        'ios = ["16", "26"], say',
    ),
    "a table for a list": ("resolve = {}\n", "1: resolve: takes a string, or an array of strings, not a table", ""),
    "a date for a text": ("profile = 2026-01-01\n", "1: profile: takes a string, not a date", ""),
    "an empty text": ('nameserver = ""\n', "1: nameserver: is empty", 'nameserver = "192.0.2.53", say'),
    "loud beyond": ("verbose = 3\n", "1: verbose: 3 is not a number from 0 to 2", "verbose = 1"),
    "ios and profile": (
        "ios = 'all'\nprofile = 'fcp21'\n",
        "2: ios and profile: one or the other",
        "leave one of them",
    ),
    "both families": ("ipv6 = true\nipv4 = true\n", "1: ipv4 and ipv6: one or the other", "leave one of them out"),
    "a report above": (
        'output = "../ats.json"\n',
        '1: output: "../ats.json" is no plain path inside the folder',
        "give it",
    ),
    "a report elsewhere": (
        'output = "/tmp/ats.json"\n',
        '1: output: "/tmp/ats.json" is no plain path inside',
        "give it",
    ),
    "a report in the repository's own": (
        'output = ".git/config"\n',
        '1: output: ".git/config" is no plain path',
        "give",
    ),
    "no TOML": ("ios = 'all'\nrate 5\n", "2: not TOML: expected '=' after a key in a key/value pair (column 6)", ""),
    "cut in half": ('ios = ["all"\n', "1: not TOML: ", "strings stand in quotes"),
    "twice": ("rate = 1\nrate = 2\n", "2: not TOML: cannot overwrite a value", ""),
    "a number too long": (f"jobs = {'9' * 5000}\n", " ", ""),
    "too deep": (f"ios = {'[' * 100_000}", " nested too deeply", "--no-config reads no settings file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_taken_is_one_line(name: str) -> None:
    """File, line and reason; and what was probably meant, or an example."""
    text, line, hint = BAD[name]
    found = problem(text)
    assert str(found).startswith(f"atsprobe.toml:{line}")
    assert len(str(found)) < 250 and "\n" not in str(found)
    assert found.hint.startswith(hint)


def test_what_is_no_text_and_what_is_no_file() -> None:
    """The line of the byte that is not UTF-8; files that cannot be read, and that are too long to be settings."""
    assert str(problem(b"rate = 1\n# caf\xe9\n")) == "atsprobe.toml:2: not UTF-8, as TOML has to be"
    assert str(problem(b"#" * (1 << 20) + b"\n")) == "atsprobe.toml: larger than 1 MiB"
    Path("folder").mkdir()
    for path, reason in (("none.toml", "no such file"), ("folder", "is a directory"), ("a\0b", "no such file")):
        with pytest.raises(UsageProblem) as caught:
            settings_at(path)
        assert str(caught.value) == f"{path}: {reason}"


def test_a_link_out_of_the_folder_takes_no_report(tmp_path: Path) -> None:
    """The path is looked at where it leads."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "out").symlink_to(tmp_path / "elsewhere")
    assert "is no plain path" in str(problem('output = "out/ats.json"\n', "mine/atsprobe.toml"))


def test_settings_of_a_project_stand_under_tool(tmp_path: Path) -> None:
    """The lines are those of the whole file; other tools' tables are not ours."""
    text = '[project]\nname = "x"\n[tool.ruff]\nrate = "none"\n[tool.atsprobe]\nrate = 2\n'
    file = read(text, "pyproject.toml")
    assert [(v.option, v.value, v.line) for v in file.values] == [("rate", 2, 6)]
    assert str(problem(text + "time = 1\n", "pyproject.toml")).startswith("pyproject.toml:7: no such option: time")
    in_tables = text + WAIVER.replace("[[waiver]]", "[[tool.atsprobe.waiver]]").replace("owner", "owned")
    assert str(problem(in_tables, "pyproject.toml")).startswith("pyproject.toml:12: waiver: no such key: owned")
    wrong = problem('[tool]\natsprobe = "yes"\n', "pyproject.toml")
    assert str(wrong) == "pyproject.toml:2: atsprobe: takes a table, not a string"


def test_a_project_without_settings_is_none_of_ours() -> None:
    """Not even where it is no TOML; named by hand, it is told that there are none in it."""
    Path("pyproject.toml").write_text("[project\n")
    assert find_settings().document is None
    with pytest.raises(UsageProblem, match=r"pyproject.toml: no \[tool.atsprobe\] in it"):
        settings_at("pyproject.toml")


def _found() -> str | None:
    document = find_settings().document
    return None if document is None else document.shown


def test_the_nearest_file_up_to_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own before above, atsprobe.toml before pyproject.toml, and nothing above the repository."""
    below = tmp_path / "repository" / "app" / "below"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    (tmp_path / "atsprobe.toml").write_text("rate = 1\n")
    (tmp_path / "repository" / "atsprobe.toml").write_text("rate = 2\n")
    assert _found() is None  # outside of every repository, what lies above may be anybody's
    assert find_settings().looked_in == (".",)
    (tmp_path / "repository" / ".git").write_text("gitdir: elsewhere\n")
    assert _found() == "../../atsprobe.toml"
    (tmp_path / "repository" / "atsprobe.toml").unlink()
    assert _found() is None
    assert find_settings().looked_in == (".", "..", "../..")
    (tmp_path / "repository" / "app" / "pyproject.toml").write_text("[tool.atsprobe]\nrate = 3\n")
    assert _found() == "../pyproject.toml"
    (tmp_path / "repository" / "app" / "atsprobe.toml").write_text("")
    assert _found() == "../atsprobe.toml"
    (below / "pyproject.toml").write_text("[tool.other]\nname = 'atsprobe'\n")
    assert _found() == "../atsprobe.toml"
    (below / "atsprobe.toml").mkdir()
    assert _found() == "../atsprobe.toml"


def test_a_folder_that_is_gone_has_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder may have been removed under our feet."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert find_settings().document is None


TOML = '''# a = 1
"b.c" = "x # y" # z = 1
d . e = [
  1, # ]
  "]", [[2], 3],
  { f = 2, "g.\\u0068" = 'q', i.j = {} },
]
[t] # [u]
s = """
a = 3
\\""" """""
l = \'\'\'
[x]
\'\'\'\'\'
x = 4
[[w]]
n = 1
[[w]]
n = 2
[w.deep]
k = 2027-03-31
[[w.more]]
o = 1
[[w.more]]
o = 1
'''


def test_lines_of_a_document_of_every_kind() -> None:
    """Keys in quotes, dotted, in tables of arrays and in inline ones; brackets and signs inside strings are none."""
    assert tomllib.loads(TOML)["t"]["x"] == 4
    lines = key_lines(TOML)
    assert {path: line for path, line in lines.items() if path[0] in ("b.c", "t")} == {
        ("b.c",): 2,
        ("t",): 8,
        ("t", "s"): 9,
        ("t", "l"): 12,
        ("t", "x"): 15,
    }
    assert [lines["d", "e", 1], lines["d", "e", 2, 0, 0], lines["d", "e", 3, "g.h"], lines["d", "e", 3, "i", "j"]] == [
        5,
        5,
        6,
        6,
    ]
    assert [lines["w", 1], lines["w", 1, "n"], lines["w", 1, "deep", "k"]] == [18, 19, 21]
    assert [lines["w", 1, "more", 0, "o"], lines["w", 1, "more", 1]] == [23, 24]
    assert line_of(lines, ("w", 1, "nowhere", "x")) == 18
    assert line_of(lines, ("nowhere",)) is None


_KEYS = st.text("ab\"'.#=[] \u00fc", min_size=1, max_size=4)
_STRINGS = st.text("ab\"'#=[]{},\n\\ \t\u00fc", max_size=8)


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" if c in '"\\\n\t' else c for c in text) + '"'


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)} = {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(_inline(v) for v in value) + "]"
    if isinstance(value, str):
        multiline = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"""\n{multiline}"""' if "\n" in value else _quoted(value)
    return str(value).lower()


_VALUES = st.recursive(
    st.integers(0, 9) | st.booleans() | _STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def _paths(value: object, path: tuple = ()) -> set[tuple]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(_paths(v, (*path, k)) for k, v in below))


@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.lists(st.dictionaries(_KEYS, _VALUES, max_size=2), max_size=3))
def test_every_key_has_a_line_on_which_it_stands(table: dict, rows: list) -> None:
    """Whatever the document, each key that tomllib reads has a line, and the top-level ones stand at its beginning."""
    text = "".join(f"{_quoted(k)} = {_inline(v)}\n" for k, v in table.items())
    for row in rows:
        text += "[[zz]]\n" + "".join(f"{_quoted(k)} = {_inline(v)}\n" for k, v in row.items())
    read = tomllib.loads(text)
    lines = key_lines(text)
    assert _paths(read) - {()} - {("zz",)} <= set(lines)
    for key in table:
        assert text.splitlines()[lines[key,] - 1].startswith(f"{_quoted(key)} = ")
    for number, row in enumerate(rows):
        assert text.splitlines()[lines["zz", number] - 1] == "[[zz]]"
        for key in row:
            assert text.split("\n")[lines["zz", number, key] - 1].startswith(f"{_quoted(key)} = ")


@example("a=[}")
@example("a={b=}")
@example('"\\ "=1')
@given(st.text("ab=[]{}\"'#.,\n1", max_size=40))
def test_any_text_is_read_or_told_in_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """No text ends in a traceback, and finding lines never does."""
    path = tmp_path_factory.getbasetemp() / "atsprobe.toml"
    path.write_text(text, "utf-8")
    key_lines(text)
    try:
        document = read_document(path, "atsprobe.toml")
        assert document is not None
        read_settings(document, requirement_ids)
    except UsageProblem as found:
        assert str(found).startswith("atsprobe.toml:")


def test_options_have_an_example_that_is_taken() -> None:
    """What the hint proposes is read without complaint, for each option."""
    for option, row in OPTIONS.items():
        file = read(f"{option} = {row.example}\n")
        assert [v.option for v in file.values] == [option]


def test_the_example_of_the_readme_is_taken() -> None:
    """What the README shows is a settings file without a fault."""
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    file = read(readme.partition("```toml\n")[2].partition("```")[0])
    assert (len(file.values), len(file.ignored), len(file.waivers)) == (4, 1, 2)
