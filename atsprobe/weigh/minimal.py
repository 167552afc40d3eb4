"""The smallest exception under which a load works, found by search over the policy; and so the default verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atsprobe.ats.key_effect import ALLOWS_HTTP, FORWARD_SECRECY, MINIMUM_TLS, NIAP
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.values import tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Judgement, Verdict
from atsprobe.model.policy import Client, Profile
from atsprobe.weigh.evidence import Evidence, works

_LOWER_FLOORS = (TlsVersion.TLS_1_1, TlsVersion.TLS_1_0)
_BEFORE_EVERY_SDK_RULE = "1"


def candidates(*, niap: bool = False) -> tuple[ExceptionEntry, ...]:
    """Give the entries to try, smallest first: none, static RSA, a lower floor, both, then insecure HTTP alone and with those.

    ``niap``: the client comes in the NIAP mode; then leaving it follows, alone and with all of these.
    """
    lower = tuple(ExceptionEntry(minimum_tls_version=v.label) for v in _LOWER_FLOORS)
    rsa = ExceptionEntry(requires_forward_secrecy=False)
    https = (ExceptionEntry(), rsa, *lower, *(e.with_key(FORWARD_SECRECY, False) for e in lower))
    every = (*https, *(e.with_key(ALLOWS_HTTP, True) for e in https))
    return (*every, *(e.with_key(NIAP, "none") for e in every)) if niap else every


@dataclass(frozen=True)
class CaseVerdict:
    """The default verdict of one load on one address under one profile, and what default ATS said."""

    client: Client
    verdict: Verdict
    judgement: Judgement


class MinimalSearch:
    """Searches for smallest exceptions in one recording; it looks at neither the linked SDK nor the app's code."""

    def __init__(self, evidence: Evidence) -> None:
        """Search on this evidence."""
        self._evidence = evidence
        self._resolvers: dict[tuple[str, Host, ExceptionEntry | None], PolicyResolver] = {}

    def verdicts(self, endpoint: Endpoint, profiles: Sequence[Profile]) -> tuple[CaseVerdict, ...]:
        """Give the default verdict of each case of a load."""
        found: list[CaseVerdict] = []
        for profile in profiles:
            client = Client(profile, _BEFORE_EVERY_SDK_RULE)
            for index, judgement in enumerate(self._judge(endpoint, profile, None)):
                verdict = self._verdict(endpoint, profile, index, judgement)
                found.append(CaseVerdict(client, verdict, judgement))
        return tuple(found)

    def _verdict(self, endpoint: Endpoint, profile: Profile, index: int, judgement: Judgement) -> Verdict:
        match judgement.outcome:
            case "allowed":
                return Verdict.PASS
            case "exempt":
                return Verdict.EXEMPT
            case "inconclusive":
                return Verdict.INCONCLUSIVE
            case "blocked":
                outcomes = [
                    works(self._judge(endpoint, profile, entry)[index].outcome)
                    for entry in candidates(niap=profile.niap_by_default)[1:]
                ]
        if True in outcomes:
            return Verdict.EXCEPTION_REQUIRED
        return Verdict.INCONCLUSIVE if None in outcomes else Verdict.BLOCKED

    def smallest(self, endpoint: Endpoint, cases: Sequence[CaseVerdict]) -> ExceptionEntry | None:
        """Give the first entry under which every judged case works: empty for pass and exempt, None where there is none."""
        judged = [c for c in cases if c.verdict in (Verdict.PASS, Verdict.EXEMPT, Verdict.EXCEPTION_REQUIRED)]
        for entry in candidates(niap=any(c.client.profile.niap_by_default for c in judged)):
            if judged and all(self._works(endpoint, c, entry) for c in judged):
                return entry
        return None

    def _works(self, endpoint: Endpoint, case: CaseVerdict, entry: ExceptionEntry) -> bool:
        if entry == ExceptionEntry():
            return works(case.judgement.outcome) is True
        judged = self._judge(endpoint, case.client.profile, entry)
        return any(j.address == case.judgement.address and works(j.outcome) is True for j in judged)

    def _judge(self, endpoint: Endpoint, profile: Profile, entry: ExceptionEntry | None) -> tuple[Judgement, ...]:
        dictionary = AtsDictionary()
        if entry is not None:
            dictionary = dictionary.with_exception(endpoint.host, entry)
        client = Client(profile, _BEFORE_EVERY_SDK_RULE)
        return self._evidence.judgements(endpoint, PolicyResolver(client, dictionary))


def united(entries: Sequence[ExceptionEntry]) -> ExceptionEntry:
    """Give one entry that allows what each of them allows: HTTP and static RSA if any does, the lowest floor."""
    union = ExceptionEntry()
    floors = [v for e in entries if (v := tls_version(e.minimum_tls_version)) is not None]
    if any(e.allows_insecure_http_loads for e in entries):
        union = union.with_key(ALLOWS_HTTP, True)
    if floors:
        union = union.with_key(MINIMUM_TLS, min(floors).label)
    if any(e.requires_niap_tls_package_version == "none" for e in entries):
        union = union.with_key(NIAP, "none")
    if any(e.requires_forward_secrecy is False for e in entries):
        union = union.with_key(FORWARD_SECRECY, False)
    return union
