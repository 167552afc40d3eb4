"""The command certificate: files in, a verdict, findings and an exit code out; and what is no chain ends in one clear line."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jsonschema import Draft202012Validator

import atsprobe
from atsprobe.cli.commands import main
from atsprobe.json_v1.certificate import encode
from atsprobe.json_v1.schema import schema
from atsprobe.model.result import CertificateResult
from atsprobe.report.format import render
from atsprobe.report.style import Style
from atsprobe.settings import Settings, UsageProblem

UTC = dt.UTC
DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 24, tzinfo=UTC)
HOST = "api.example.com"
SCT = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
MUTANTS = int(os.environ.get("ATSPROBE_MUTANTS", "2000")) // 10
Captured = pytest.CaptureFixture[str]
SNAPSHOTS = Path(__file__).parent / "cli" / "snapshots"


@dataclass(frozen=True)
class Signer:
    """A CA: its name, its key, its certificate."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _ca(text: str, signer: Signer | None = None) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(text)
    builder = x509.CertificateBuilder(
        signer.name if signer else name, name, key.public_key(), 5, NOW - 1000 * DAY, NOW + 4000 * DAY
    ).add_extension(x509.BasicConstraints(True, None), True)
    return Signer(name, key, builder.sign(signer.key if signer else key, hashes.SHA256()))


TOP = _ca("Example Root R1")
MIDDLE = _ca("Example CA 2", TOP)
KEY = ec.generate_private_key(ec.SECP256R1())


def _scts() -> x509.UnrecognizedExtension:
    one = (
        b"\0"
        + b"%c" * 32
        + (1_790_000_000_000).to_bytes(8, "big")
        + b"\0\0\4\3\0\x08"
        + bytes.fromhex("3006020101020101")
    )
    listed = b""
    for log in range(3):
        sct = one.replace(b"%c" * 32, bytes([log]) * 32)
        listed += len(sct).to_bytes(2, "big") + sct
    body = len(listed).to_bytes(2, "big") + listed
    return x509.UnrecognizedExtension(SCT, b"\x04\x81" + bytes([len(body)]) + body)


def _leaf(
    begins: dt.datetime = NOW - 30 * DAY, days: int = 90, signer: Signer = MIDDLE, name: str = HOST
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        signer.name, _name(name), KEY.public_key(), 7, begins, begins + days * DAY
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False)
    return builder.add_extension(_scts(), False).sign(signer.key, hashes.SHA256())


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write files into the folder in which the command then runs; root.pem lies there already."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def write(**named: bytes) -> None:
        for name, content in named.items():
            (tmp_path / name.replace("_", ".", 1)).write_bytes(content)

    write(root_pem=_pem(TOP.certificate), ok_pem=_pem(_leaf(), MIDDLE.certificate))
    return write


AT = ["--at", "2026-11-24"]


def test_the_report_of_the_contract(files, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate for next month, too long for a public root: as agreed, line by line, and what to ask next."""
    import atsprobe.pipelines.certificate as pipeline

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW

    monkeypatch.setattr(pipeline, "datetime", Clock)
    (Path.cwd() / "new-api.pem").write_bytes(_pem(_leaf(dt.datetime(2026, 12, 1, tzinfo=UTC), 410), MIDDLE.certificate))
    assert main(["certificate", "new-api.pem", "--host", HOST, "--public-root", "root.pem"]) == 1
    out, err = capsys.readouterr()
    assert out == (SNAPSHOTS / "certificate.txt").read_text("utf-8")
    assert err == (
        "atsprobe: hint: --at 2026-12-01 judges as of that day\natsprobe: exit 1: 2 findings, 1 not judged\n"
    )
    assert main(["certificate", "new-api.pem", "--host", HOST, "--ca-file", "root.pem", "--at", "2026-12-01"]) == 0
    assert "certificate-validity" not in capsys.readouterr().out


def test_a_certificate_that_begins_within_a_day(files, capsys: Captured) -> None:
    """The hint names the hour then, so that it is right as it stands; and none is given where it would not help."""
    files(noon_pem=_pem(_leaf(NOW + 7 * DAY + 12 * DAY / 24), MIDDLE.certificate))
    assert main(["certificate", "noon.pem", "--host", HOST, "--ca-file", "root.pem", *AT]) == 1
    hint = capsys.readouterr().err.splitlines()[0]
    assert hint == "atsprobe: hint: --at 2026-12-01T12:00:00Z judges as of then"
    at = hint.split()[3]
    assert main(["certificate", "noon.pem", "--host", HOST, "--ca-file", "root.pem", "--at", at]) == 0
    assert "hint" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        (["ok.pem", "--ca-file", "root.pem"], 0, "exit 0: nothing to act on"),
        (["ok.pem", "--public-root", "root.pem"], 0, "exit 0: nothing to act on, 1 not judged"),
        (["reverse.pem"], 1, "exit 1: 1 finding"),
        (["fetch.pem", "--ca-file", "root.pem"], 3, "exit 3: incomplete, 2 not judged"),
        (["reverse.pem", "--ca-file", "root.pem"], 0, "exit 0: nothing to act on"),
        (["leaf.der", "ca.der", "--ca-file", "root.pem"], 0, "exit 0: nothing to act on"),
        (["ca.der", "root.pem", "leaf.der", "ok.pem", "--ca-file", "root.pem"], 0, "exit 0: nothing to act on"),
        (["ok.pem", "--ca-file", "root.pem", "--ios", "all"], 0, "exit 0: nothing to act on"),
        (["ok.pem", "--ca-file", "root.pem", "--profile", "apple-system-27"], 0, "exit 0: nothing to act on"),
    ],
)
def test_exit_codes(files, capsys: Captured, arguments: list[str], code: int, last: str) -> None:
    """Trusted 0, untrusted 1, inconclusive 3; PEM or DER, in any order, one file or several."""
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(
                x509.AuthorityInformationAccessOID.CA_ISSUERS,
                x509.UniformResourceIdentifier("http://pki.example.com/ca.cer"),
            )
        ]
    )
    builder = x509.CertificateBuilder(MIDDLE.name, _name(HOST), KEY.public_key(), 9, NOW - DAY, NOW + 80 * DAY)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False).add_extension(
        access, False
    )
    files(
        fetch_pem=_pem(builder.sign(MIDDLE.key, hashes.SHA256())),
        reverse_pem=_pem(TOP.certificate, MIDDLE.certificate, _leaf()),
        leaf_der=_leaf().public_bytes(Encoding.DER),
        ca_der=MIDDLE.certificate.public_bytes(Encoding.DER),
    )
    assert main(["certificate", *arguments, "--host", HOST, *AT]) == code
    assert capsys.readouterr().err.splitlines()[-1] == f"atsprobe: {last}"


def test_quiet_verbose_and_json(files, capsys: Captured) -> None:
    """-q the answer and what fails, -v every requirement and the path, JSON by its schema."""
    main(["certificate", "ok.pem", "--host", "b.example.com", "--ca-file", "root.pem", "-q", *AT])
    out, err = capsys.readouterr()
    assert [line.split("  names")[0].strip() for line in out.splitlines() if line] == [
        "✗ ok.pem for b.example.com: untrusted (1 finding)",
        "✗  certificate-hostname",
    ]
    assert err == ""
    main(["certificate", "ok.pem", "--host", HOST, "--public-root", "root.pem", "-v", *AT])
    out = capsys.readouterr().out
    assert out.count("  certificate-") + out.count("  pinned-identity") == 10 + out.count("source    certificate-")
    assert "CN=Example Root R1" in out
    assert main(["certificate", "ok.pem", "--host", HOST, "--public-root", "root.pem", "-f", "json", *AT]) == 0
    document = json.loads(capsys.readouterr().out)
    assert not list(Draft202012Validator(schema("certificate")).iter_errors(document))
    assert (document["verdict"], document["anchor"], document["profiles"]) == ("trusted", "as-if-public", ["ios26"])
    assert [c["subject"] for c in document["certificates"]] == [
        f"CN={HOST}",
        "CN=Example CA 2",
        "CN=Example Root R1",
    ]
    assert document["trust"].startswith("Apple roots ")
    assert document["at"] == "2026-11-24T00:00:00Z"


def test_profiles_that_differ_are_told_apart(files) -> None:
    """398 days hold from iOS 14 on: iOS 13 warns where the others refuse, and the worst verdict counts."""
    files(long_pem=_pem(_leaf(days=500), MIDDLE.certificate))
    arguments = ["certificate", "long.pem", "--host", HOST, "--public-root", "root.pem", *AT]
    assert main([*arguments, "--ios", "13"]) == 0
    assert main([*arguments, "--ios", "all"]) == 1
    result = atsprobe.certificate(["long.pem"], HOST, Settings(ios=("all",)), public_roots=["root.pem"], at=NOW)
    assert dict(result.verdicts) == {
        "ios13": "trusted",
        "ios15.4": "untrusted",
        "ios17": "untrusted",
        "ios26": "untrusted",
    }
    assert result.verdict == "untrusted"
    held = {f.finding.status: f.profiles for f in result.findings if f.finding.requirement == "certificate-lifetime"}
    assert held == {"warn": ("ios13",), "fail": ("ios15.4", "ios17", "ios26")}
    text = render(result, "text", Style())
    assert "iOS 13: 500 days; at most 398 under a public root from iOS 14" in " ".join(text.split())


KEY_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
GOOD = _pem(_leaf())
BROKEN = GOOD.replace(b"MII", b"MIX", 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (KEY_PEM, "a private key, not a certificate"),
        (b"", "the file is empty"),
        (b"hello", "no certificate in it (neither PEM nor DER)"),
        (GOOD + BROKEN + GOOD, "certificate number 2 is broken (invalid length)"),
        (GOOD + GOOD[:-30], "certificate number 2 has no END line"),
        (GOOD + GOOD.replace(b"MII", b"!!!", 1), "certificate number 2 is broken (not base64)"),
    ],
)
@pytest.mark.parametrize("place", ["chain", "--ca-file", "--public-root"])
def test_what_is_no_chain_is_an_error_and_never_a_verdict(
    files, capsys: Captured, content: bytes, message: str, place: str
) -> None:
    """Exit 2, nothing on standard output, one line that names the file and what is wrong with it."""
    files(server_key=content)
    rest = ["server.key"] if place == "chain" else ["ok.pem", place, "server.key"]
    assert main(["certificate", *rest, "--host", HOST]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == f"atsprobe: error: server.key: {message}"
    assert err.splitlines()[-1].startswith("atsprobe: exit 2: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ok.pem"], "no HOST given"),
        (["--host", HOST], "no CHAIN given"),
        (["none.pem", "--host", HOST], "none.pem: no such file"),
        (["ok.pem", "--host", "https://api.example.com/"], "--host: https://api.example.com/: "),
        (["ok.pem", "--host", HOST, "--at", "tomorrow"], "--at: tomorrow is neither a day nor an ISO time"),
        (["ok.pem", "--host", HOST, "--at", "2026-02-30"], "--at: 2026-02-30 is neither a day nor an ISO time"),
        (["ok.pem", "--host", HOST, "--at", "0001-01-01T00:00+14:00"], "--at: 0001-01-01T00:00+14:00 is neither"),
        (["ok.pem", "--host", HOST, "--ios", "12"], "iOS 12 is older than the oldest profile"),
        (["ok.pem", "--host", HOST, "--profile", "ios99"], "no profile 'ios99'"),
        (["ok.pem", "--host", HOST, "--ios", "17", "--profile", "fcp21"], "--ios and --profile"),
        (["ok.pem", "--host", HOST, "-o", "root.pem", "--ca-file", "root.pem"], "root.pem: a target"),
    ],
)
def test_usage_errors(files, capsys: Captured, arguments: list[str], message: str) -> None:
    """One line that says what cannot be taken, and exit 2."""
    assert main(["certificate", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"atsprobe: error: {message}")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-12-01", dt.datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T09:30", dt.datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2026-12-01T09:30:15Z", dt.datetime(2026, 12, 1, 9, 30, 15, tzinfo=UTC)),
        ("2026-12-01 09:30+02:00", dt.datetime(2026, 12, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_times(files, capsys: Captured, text: str, at: dt.datetime) -> None:
    """A day is its first second, and a time without an offset is UTC."""
    main(["certificate", "ok.pem", "--host", HOST, "--at", text, "-f", "json"])
    read = dt.datetime.fromisoformat(json.loads(capsys.readouterr().out)["at"])
    assert read == at


def test_hostile_names_are_escaped(files, capsys: Captured) -> None:
    """What a certificate says can neither move the cursor nor start a line."""
    evil = _ca("Acme\x1b[2J\u202eCA\nexit 0")
    files(evil_pem=_pem(_leaf(signer=evil), evil.certificate))
    main(["certificate", "evil.pem", "--host", HOST, "-v", *AT])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "Acme\\u{1b}[2J\\u{202e}CA" in out.replace("\n", "")


def test_mutated_files_end_in_findings_or_one_clear_error(files, tmp_path: Path) -> None:
    """Bytes of a chain file changed at random: a result that renders and keeps its schema, or a problem that names the file."""
    dice = random.Random(5)
    validator = Draft202012Validator(schema("certificate"))
    whole = (tmp_path / "ok.pem").read_bytes(), _leaf().public_bytes(Encoding.DER)
    read = 0
    for number in range(MUTANTS):
        data = bytearray(whole[number % 2])
        for _ in range(dice.choice((1, 1, 2, 4))):
            place = dice.randrange(len(data))
            data[place : place + dice.choice((0, 1, 1, 3))] = dice.randbytes(dice.choice((0, 1, 1, 2)))
        (tmp_path / "mutant.pem").write_bytes(data)
        try:
            result = atsprobe.certificate(["mutant.pem"], HOST, public_roots=["root.pem"], at=NOW)
        except UsageProblem as problem:
            assert str(problem).startswith("mutant.pem: ")
            continue
        read += 1
        assert isinstance(result, CertificateResult)
        assert render(result, "text", Style(verbosity=2))
        assert not list(validator.iter_errors(json.loads(json.dumps(encode(result)))))
    assert 0 < read < MUTANTS


def test_it_loads_no_engine(files, tmp_path: Path) -> None:
    """Judging a file needs neither sslyze nor nassl nor dnspython."""
    code = (
        "import sys\nfrom atsprobe.cli.commands import main\n"
        f"code = main(['certificate', 'ok.pem', '--host', '{HOST}', '--ca-file', 'root.pem', '--at', '2026-11-24'])\n"
        "heavy = {'sslyze', 'nassl', 'dns'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}, exit code {code}' if heavy or code else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-400:]


@pytest.mark.parametrize("host", ["https://api.example.com", "api.example.com:443", "api.example.com/x"])
def test_a_url_is_no_host(host, capsys):
    """A certificate names hosts; who gives more is told what is wanted."""
    assert main(["certificate", "noon.pem", "--host", host]) == 2
    assert "without scheme or port" in capsys.readouterr().err
