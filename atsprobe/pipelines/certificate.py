"""A chain from files: would Apple's client accept it, before it is installed on a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import UnknownProfile, profiles
from atsprobe.certificate_files import CertificateFileProblem, apple_roots, read_chain, read_roots
from atsprobe.judge.judge import JudgedFile, judge_file
from atsprobe.model.certificate import Certificate
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Host, InvalidHost, parse_host
from atsprobe.model.judgement import Finding, Outcome
from atsprobe.model.policy import Client, Profile
from atsprobe.model.result import CertificateFinding, CertificateResult, CertificateVerdict
from atsprobe.model.trust_store import TrustStore
from atsprobe.settings import Settings, UsageProblem

_VERDICTS: dict[Outcome, CertificateVerdict] = {
    "allowed": "trusted",
    "blocked": "untrusted",
    "inconclusive": "inconclusive",
    "exempt": "trusted",
}


def certificate(
    chain: Sequence[str],
    host: str,
    settings: Settings | None = None,
    *,
    public_roots: Sequence[str] = (),
    at: datetime | None = None,
) -> CertificateResult:
    """Judge the chain in the files of ``chain`` (PEM or DER, in any order) for a host; no packet is sent.

    Of the settings ``ios``, ``profile`` and ``ca_files`` count. ``public_roots`` are files of roots to be judged as if Apple
    shipped them. ``at`` is the instant to judge at, UTC where it has no time zone, now where it is None. Raises UsageProblem
    for an option that cannot be taken, and for a file that is not read to its end: never a verdict on a part.
    """
    settings = settings or Settings()
    asked = _profiles(settings)
    name = _host(host)
    trust = _trust(settings, public_roots)
    certificates = _chain(chain)
    instant = _instant(at)
    judged = {
        profile.name: judge_file(
            certificates, PolicyResolver(Client(profile), AtsDictionary()).policy(name), trust, instant
        )
        for profile in asked
    }
    newest = judged[max(asked, key=lambda p: p.order).name]
    return CertificateResult(
        files=tuple(chain),
        host=name,
        at=instant,
        is_now=at is None,
        profiles=asked,
        verdicts=tuple((profile, _VERDICTS[of.outcome]) for profile, of in judged.items()),
        findings=_findings(judged),
        path=newest.path.certificates if newest.path else (),
        anchor=_anchor(newest, trust),
        trust_title=trust.title,
        ios=settings.ios,
        mode=settings.profile,
    )


def _profiles(settings: Settings) -> tuple[Profile, ...]:
    try:
        return profiles(settings.ios, None, settings.profile)
    except UnknownProfile as problem:
        raise UsageProblem(str(problem), "--ios 26, or --ios all") from problem


def _host(text: str) -> Host:
    hint = "give the bare name, --host api.example.com"
    if "/" in text or text.count(":") == 1:
        raise UsageProblem(
            f"--host: {text[:200]}: a host name or an IP address is wanted, without scheme or port", hint
        )
    try:
        return parse_host(text)
    except InvalidHost as problem:
        raise UsageProblem(f"--host: {text[:200]}: {problem}", hint) from problem


def _chain(files: Sequence[str]) -> tuple[Certificate, ...]:
    try:
        certificates = read_chain(files)
    except CertificateFileProblem as problem:
        raise UsageProblem(str(problem), problem.hint) from problem
    if not certificates:
        raise UsageProblem("no certificate given", "give the file that begins with -----BEGIN CERTIFICATE-----")
    return certificates


def _instant(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _trust(settings: Settings, public_roots: Sequence[str]) -> TrustStore:
    try:
        installed = tuple(dict.fromkeys(root for path in settings.ca_files for root in read_roots(path)))
        as_if_public = tuple(dict.fromkeys(root for path in public_roots for root in read_roots(path)))
        return replace(apple_roots(), installed=installed, as_if_public=as_if_public)
    except CertificateFileProblem as problem:
        raise UsageProblem(str(problem), problem.hint) from problem


def _findings(judged: dict[str, JudgedFile]) -> tuple[CertificateFinding, ...]:
    """Put the findings for all profiles together, requirement by requirement, equal ones once."""
    order = dict.fromkeys(f.requirement for of in judged.values() for f in of.findings)
    found = []
    for requirement in order:
        held: dict[Finding, list[str]] = {}
        for profile, of in judged.items():
            for finding in of.findings:
                if finding.requirement == requirement:
                    held.setdefault(finding, []).append(profile)
        found += [CertificateFinding(finding, tuple(names)) for finding, names in held.items()]
    return tuple(found)


def _anchor(judged: JudgedFile, trust: TrustStore) -> Literal["public", "as-if-public", "installed", "none"]:
    if judged.path is None:
        return "none"
    if judged.path.anchor == "public" and judged.path.last.der not in trust.public:
        return "as-if-public"
    return judged.path.anchor
