"""CAs of which Apple takes no new certificates: by root and time of issue, or doubtful by name."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from pathlib import Path

import pytest
from certificate_maker import DAY, HOST, Make, issuing, root, sct_list
from judged import findings, outcome, trusting

from atsprobe.ats.profile import all_profiles
from atsprobe.certificate_files import apple_roots
from atsprobe.judge import distrust
from atsprobe.judge.certificates import chain_findings
from atsprobe.judge.chain import ChainCase, ChainQuestion
from atsprobe.judge.path import candidate_paths
from atsprobe.model.certificate import Certificate
from atsprobe.model.trust_store import TrustStore

DATA = Path(distrust.__file__).parent / "distrusted.toml"
UTC = dt.UTC
CUTOFF = dt.datetime(2024, 11, 15, 23, 59, 59, tzinfo=UTC)
BEFORE, AFTER = CUTOFF - DAY, CUTOFF + DAY
SECOND = dt.timedelta(seconds=1)
TOP = root("Distrusted", begins=dt.datetime(2015, 1, 1, tzinfo=UTC))
MIDDLE = issuing(TOP, begins=dt.datetime(2015, 1, 1, tzinfo=UTC))
PUBLIC = trusting(public=[TOP])
AT = dt.datetime(2024, 12, 1, tzinfo=UTC)


@pytest.fixture
def distrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first row of roots be about our own root."""
    rows = tomllib.loads(DATA.read_text("utf-8"))
    rows["root"] = [{**rows["root"][1], "who": "Example CA", "sha256": [TOP.certificate.sha256]}]
    monkeypatch.setattr(distrust, "_rows", lambda: rows)


def _leaf(**more) -> tuple[Certificate, ...]:
    return (Make(signer=MIDDLE, **more).certificate, MIDDLE.certificate)


def test_every_root_in_the_data_is_one_that_apple_ships() -> None:
    """Each fingerprint stands for the root that its comment names, so that none is mistyped."""
    shipped = {c.sha256: c.short_name for c in map(Certificate, apple_roots().public)}
    of_roots = DATA.read_text("utf-8").partition("[[issuer]]")[0]
    listed = re.findall(r'"([0-9a-f]{64})", # (.+)', of_roots)
    assert len(listed) == 11
    assert {name: shipped.get(sha256) for sha256, name in listed} == {name: name for _, name in listed}
    assert len({sha256 for sha256, _ in listed}) == 11


def test_the_listed_cas_are_those_of_the_source() -> None:
    """Seven CAs of WoSign and StartCom, told by the SHA-256 of the certificate, and none of them is one that Apple ships."""
    (row,) = tomllib.loads(DATA.read_text("utf-8"))["issuer"]
    assert len(set(row["sha256"])) == 7
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in row["sha256"])
    assert not set(row["sha256"]) & {c.sha256 for c in map(Certificate, apple_roots().public)}
    # as CFAbsoluteTime: seconds since 2001
    assert (row["issued_from"] - dt.datetime(2001, 1, 1, tzinfo=UTC)).total_seconds() == 502243200


def test_every_root_of_those_cas_that_apple_ships_is_in_the_data() -> None:
    """Entrust, AffirmTrust and Camerfirma have no root in the store that is forgotten."""
    listed = DATA.read_text("utf-8")
    for certificate in map(Certificate, apple_roots().public):
        if re.search("O=(Entrust|AffirmTrust|AC Camerfirma)", certificate.subject):
            assert certificate.sha256 in listed, certificate.subject


@pytest.mark.parametrize(
    ("begins", "times", "status", "words"),
    [
        (BEFORE, (), "pass", ""),
        (CUTOFF, (), "pass", ""),
        (CUTOFF + SECOND, (), "fail", "this one is of 2024-11-16 (notBefore)"),
        (BEFORE, (AFTER, AFTER), "fail", "this one is of 2024-11-16 (SCT)"),
        (AFTER, (BEFORE, BEFORE), "pass", ""),
        (BEFORE, (BEFORE, AFTER), "unknown", "the timestamps are from before and after"),
    ],
)
def test_the_time_of_issue_decides(distrusted, begins, times, status: str, words: str) -> None:
    """Timestamps tell when a certificate was issued, else notBefore; what was issued by the day itself stays good."""
    found = findings(_leaf(begins=begins, sct_times=times), PUBLIC, at=AT)["certificate-trust"]
    assert found.status == status
    assert words in found.evidence
    assert status == "pass" or found.citation.startswith("Apple support 121668")


def test_timestamps_of_the_handshake_count_too(distrusted) -> None:
    """What came as a TLS extension tells the time of issue as well."""
    leaf = _leaf(begins=BEFORE)
    question = ChainQuestion(leaf, HOST, PUBLIC, AT, scts=sct_list(2, (AFTER, AFTER)))
    against = distrust.distrust(ChainCase(question, candidate_paths(leaf, PUBLIC)[0]))
    assert against is not None
    assert against.is_certain


@pytest.mark.parametrize(
    ("profile", "status"),
    [
        ("ios13", "unknown"),
        ("ios15.4", "unknown"),
        ("ios17", "unknown"),
        ("ios26", "fail"),
        ("fcp21", "fail"),
        ("apple-system-27", "fail"),
    ],
)
def test_older_versions_are_not_known_to_distrust(distrusted, profile: str, status: str) -> None:
    """Apple speaks of its latest systems; a profile that begins before is not guessed about."""
    chosen = next(p for p in all_profiles() if p.name == profile)
    found = findings(_leaf(begins=AFTER), PUBLIC, at=AT, profile=chosen)
    assert found["certificate-trust"].status == status


def test_another_root_over_the_same_issuer_is_not_distrusted(distrusted) -> None:
    """The client takes the path that holds."""
    other = root("Other")
    cross = issuing(other, "Issuing")
    chain = (*_leaf(begins=AFTER), cross.certificate)
    found = findings(chain, trusting(public=[TOP, other]), at=AT)
    assert found["certificate-trust"].evidence == 'root "Other", in Apple\'s store'


SINCE = dt.datetime(2016, 12, 1, tzinfo=UTC)
OLD = SINCE - 900 * DAY


@pytest.mark.parametrize("listed", ["Distrusted", "Cross"])
@pytest.mark.parametrize(
    ("of_leaf", "of_issuer", "refused"),
    [
        (SINCE - SECOND, OLD, ()),
        (SINCE, OLD, ("Distrusted", "Cross")),
        (SINCE - SECOND, SINCE, ("Distrusted",)),
    ],
)
@pytest.mark.parametrize("is_installed", [False, True])
def test_a_listed_ca_refuses_what_begins_too_late_below_it(
    monkeypatch: pytest.MonkeyPatch, listed: str, of_leaf, of_issuer, refused: tuple[str, ...], is_installed: bool
) -> None:
    """SecPVCCheckIssuerDateConstraints: any certificate of the path may be the listed one, and every one below it counts."""
    top = root("Distrusted", begins=OLD)
    middle = issuing(top, "Cross", begins=of_issuer)
    by_name = {"Distrusted": top, "Cross": middle}
    rows = tomllib.loads(DATA.read_text("utf-8"))
    rows["issuer"][0]["sha256"] = [by_name[listed].certificate.sha256]
    monkeypatch.setattr(distrust, "_rows", lambda: rows)
    chain = (Make(signer=middle, begins=of_leaf).certificate, middle.certificate)
    trust = trusting(installed=[top]) if is_installed else trusting(public=[top])
    chain_findings.cache_clear()  # the question is the same, the list is not
    found = findings(chain, trust, at=SINCE + DAY)
    chain_findings.cache_clear()
    assert found["certificate-trust"].status == ("fail" if listed in refused else "pass")
    if listed in refused:
        assert found["certificate-trust"].evidence.endswith("from 2016-12-01 on; one is of 2016-12-01")
        assert outcome(found) == "blocked"


@pytest.mark.parametrize(
    ("organisation", "begins", "status"),
    [
        ("WoSign CA Limited", dt.datetime(2016, 12, 1, tzinfo=UTC), "unknown"),
        ("StartCom Ltd.", dt.datetime(2016, 12, 1, tzinfo=UTC), "unknown"),
        ("WoSign CA Limited", dt.datetime(2016, 12, 1, tzinfo=UTC) - SECOND, "pass"),
        ("WoSign Fan Club", dt.datetime(2016, 12, 1, tzinfo=UTC), "pass"),
        ("GeoTrust Inc.", dt.datetime(2016, 12, 1, tzinfo=UTC), "unknown"),
        ("DigiCert Inc", dt.datetime(2016, 12, 1, tzinfo=UTC), "pass"),
    ],
)
def test_a_name_makes_trust_doubtful_and_no_more(organisation: str, begins, status: str) -> None:
    """Which certificates Apple means is told by hashes that are not at hand."""
    top = root("Root of it", organisation=organisation, begins=dt.datetime(2010, 1, 1, tzinfo=UTC))
    chain = (Make(signer=top, begins=begins, usage=None).certificate, top.certificate)
    found = findings(chain, trusting(installed=[top]), at=begins + DAY)
    assert found["certificate-trust"].status == status
    assert outcome(found) == ("allowed" if status == "pass" else "inconclusive")


def test_an_intermediate_of_wosign_is_doubtful_too_and_one_named_geotrust_is_not() -> None:
    """WoSign was cross-signed by others; under another root GeoTrust is a name that another CA goes on using."""
    for organisation, status in (("WoSign CA Limited", "unknown"), ("GeoTrust Inc.", "pass")):
        middle = issuing(TOP, "Cross", organisation=organisation)
        chain = (Make(signer=middle).certificate, middle.certificate)
        assert findings(chain, PUBLIC)["certificate-trust"].status == status


def test_apples_own_roots_need_no_transparency() -> None:
    """Told by who is named in a root that Apple ships; a root given as if preinstalled is none of them."""
    top = root("Apple-like", organisation="Apple Inc.")
    chain = (Make(signer=top).certificate,)
    found = findings(chain, trusting(public=[top]))["certificate-transparency"]
    assert found.evidence == "does not apply under a root of Apple's own"
    as_if = TrustStore((), as_if_public=(top.certificate.der,))
    assert findings(chain, as_if)["certificate-transparency"].status == "unknown"
