"""Mutated property lists give an answer or a clean error, through extraction, resolution and both reports."""

from __future__ import annotations

import json
import os
import plistlib
import random
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from atsprobe.json_v1.schema import schema
from atsprobe.model.result import PolicyResult, exit_code
from atsprobe.pipelines.policy import policy
from atsprobe.report.closing import hints, why
from atsprobe.report.format import render
from atsprobe.report.style import Style
from atsprobe.settings import Settings, UsageProblem

MUTANTS = int(os.environ.get("ATSPROBE_MUTANTS", "2000"))
"""How many to try; ``make fuzz`` tries more."""


SAMPLE: dict[str, Any] = {
    "CFBundleIdentifier": "org.example.ferry",
    "CFBundleName": "Ferry",
    "MinimumOSVersion": "15.0",
    "NSAllowsArbitraryLoads": True,
    "NSAppTransportSecurity": {
        "NSAllowsArbitraryLoads": True,
        "NSAllowsArbitraryLoadsInWebContent": False,
        "NSAllowsLocalNetworking": 1,
        "NSRequiresNIAPTLSPackageVersion": "FCP_v2.1",
        "NSPinnedDomains": {
            "pinned.example.com": {
                "NSIncludesSubdomains": True,
                "NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": "8J+YgPCfmIDwn5iA8J+YgPCfmIDwn5iA8J+YgPCfmIA="}],
            }
        },
        "NSExceptionDomains": {
            "example.com": {"NSIncludesSubdomains": True, "NSExceptionAllowsInsecureHTTPLoads": True},
            "a.example.com": {"NSExceptionMinimumTLSVersion": "TLSv1.0", "NSExceptionRequiresForwardSecrecy": False},
            "10.0.0.0/8": {"NSExceptionAllowsInsecureHTTPLoads": 1},
            "*.example.org": {"NSTemporaryExceptionAllowsInsecureHTTPLoads": "YES"},
            "bücher.example": {},
            "2001:db8::/32": {"NSExceptionRequiresNIAPTLSPackageVersion": "none"},
        },
    },
}
HOSTS = [
    "b.a.example.com",
    "10.1.2.3",
    "http://pinned.example.com:8080/",
    "localhost",
    "2001:db8::1",
    "xn--bcher-kva.example",
]
TOKENS = [
    b"<true/>", b"<false/>", b"<dict>", b"</dict>", b"<array>", b"</array>", b"<string>", b"</string>", b"<key>", b"</key>",
    b"<integer>2</integer>", b"<real>nan</real>", b"<date>x</date>", b"<data>!</data>", b"&#0;", b"&lt;", b"<!--", b"]]>",
    b"\0", b"\xff", b"NSExceptionDomains", b"NSAppTransportSecurity", b"TLSv1.0", b"\xe2\x80\xae", b"<plist>",
]  # fmt: skip
VALUES: list[Any] = [
    True, False, 0, 1, 2, -1, 1 << 63, 1.5, float("nan"), float("inf"), "", "YES", "TLSv1.0", "TLSV1.0", "DTLSv1.2", "x" * 5000,
    "\u202e\x1b[2J", b"", b"\0\xff", [], [[]], {}, {"": {}}, {"a": {"b": {"c": []}}}, plistlib.UID(1),
    [{"SPKI-SHA256-BASE64": 1}],
]  # fmt: skip
KEYS = [
    "NSAppTransportSecurity", "NSExceptionDomains", "NSAllowsArbitraryLoads", "NSAllowsLocalNetworking", "NSPinnedDomains",
    "NSExceptionMinimumTLSVersion", "NSExceptionAllowsInsecureHTTPLoads", "NSExceptionRequiresForwardSecrecy", "", "*",
    "NSIncludesSubdomains", "NSPinnedLeafIdentities", "NSExceptionRequiresNIAPTLSPackageVersion", "NSalowsArbitraryLoad",
    "example.com", "0.0.0.0/0", "::/0", "10/8", "fe80::1%en0/64", "[::1]", "1.2.3.4/99999999999", "a" * 300, "..", "com",
    "https://user@example.com:99999/", "xn--", "\ud800".encode("utf-8", "replace").decode(), "\0", "e\u0301.example",
]  # fmt: skip


def _with_other_bytes(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        place = dice.randrange(len(changed) + 1)
        length = dice.choice((1, 1, 2, 8, 64, 512))
        match dice.randrange(5):
            case 0:
                changed[place : place + length] = dice.randbytes(length)
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place:place] = dice.choice(TOKENS)
            case 3:
                other = dice.randrange(len(changed) + 1)
                changed[place:place] = changed[other : other + length]
            case _ if place < len(changed):
                changed[place] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _with_other_values(value: Any, dice: random.Random, chance: float) -> Any:
    """Put other values and keys into a tree."""
    if dice.random() < chance:
        return dice.choice(VALUES)
    if isinstance(value, dict):
        mutated = {k: _with_other_values(v, dice, chance) for k, v in value.items()}
        if dice.random() < 3 * chance:
            mutated[dice.choice(KEYS)] = dice.choice([*VALUES, value])
        if mutated and dice.random() < chance:
            mutated[dice.choice(KEYS)] = mutated.pop(dice.choice(list(mutated)))
        return mutated
    if isinstance(value, list):
        return [_with_other_values(v, dice, chance) for v in value]
    return value


def _mutant(dice: random.Random) -> bytes:
    form = dice.choice((plistlib.FMT_XML, plistlib.FMT_BINARY))
    tree = _with_other_values(SAMPLE, dice, 0.06) if dice.random() < 0.6 else SAMPLE
    try:
        data = plistlib.dumps(tree, fmt=form, sort_keys=False)
    except (TypeError, OverflowError, ValueError):  # what XML cannot hold: an UID, a control character
        data = plistlib.dumps(SAMPLE, fmt=form)
    return _with_other_bytes(data, dice) if tree is SAMPLE or dice.random() < 0.3 else data


def _problems(result: PolicyResult, *, thoroughly: bool) -> list[str]:
    """Say what is wrong with an answer: it has to keep its schema, and print without a control character."""
    document = render(result, "json", Style())
    found = [e.message[:200] for e in VALIDATOR.iter_errors(json.loads(document))] if thoroughly else []
    texts = [document, *(render(result, "text", Style(verbosity=v)) for v in ((-1, 0, 1) if thoroughly else (1,)))]
    found += [f"raw {c!r}" for text in texts for c in set(text) - {"\n"} if not c.isprintable()]
    assert why(result)
    assert isinstance(hints(result), tuple)
    code = exit_code(result)
    if any(s.unreadable for s in result.skipped):
        found += [f"exit {code}"] * (code != 2)
    elif result.bundles:
        found += [f"exit {code}"] * (code not in (0, 1, 3))
    return found


VALIDATOR = Draft202012Validator(schema("policy"))


@pytest.mark.timeout(900)
def test_mutated_plists(tmp_path: Path) -> None:
    """Each gives rows that keep the schema, or one clear error; none hangs, and none ends in a traceback."""
    dice = random.Random(20261124)
    path = tmp_path / "Info.plist"
    read = 0
    for number in range(MUTANTS):
        path.write_bytes(_mutant(dice))
        settings = Settings(ios=("all",)) if number % 2 else Settings(profile=dice.choice(("fcp21", "apple-system-27")))
        try:
            result = policy(str(path), HOSTS if number % 3 else (), settings)
        except UsageProblem as problem:
            assert "no Info.plist" in str(problem), (number, problem)
            continue
        assert _problems(result, thoroughly=number % 10 == 0) == [], number
        assert result.bundles or result.skipped[0].reason, number
        read += bool(result.bundles)
    assert MUTANTS / 4 < read < MUTANTS, "some are readable, some are not"
