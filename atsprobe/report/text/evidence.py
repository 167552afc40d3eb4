"""What a line rests on, told under it on request: what was seen and refused, where it is used, whose rule it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.endpoint import Reference
from atsprobe.model.handshake import (
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    NotMade,
    Offer,
    Outcome,
    Refused,
)
from atsprobe.model.judgement import ExceptionJudgement
from atsprobe.model.observation import HttpAnswer, Observation, PlaintextObservation, TlsObservation, Unreachable
from atsprobe.model.result import EndpointResult
from atsprobe.report.escape import shortened
from atsprobe.report.places import place
from atsprobe.report.words import count

Row = tuple[str, str]
_REASONS = {
    "connection-refused": "connection refused",
    "timeout": "no answer in time",
    "no-route": "no route from this machine",
    "not-contacted": "not contacted: it is the network of whoever runs this",
    "interrupted": "not looked at, interrupted",
    "failed": "no connection",
    "reset": "connection reset",
    "closed": "connection closed without an answer",
    "not-tls": "the answer is no TLS",
    "alert": "an alert that does not speak of the offer",
    "too-large": "more bytes than the bound",
    "garbage": "TLS records that make no handshake",
    "contradictory": "handshakes contradict each other",
}


def of_server(endpoint: EndpointResult) -> tuple[Row, ...]:
    """Tell of a server: what was seen at its addresses, who loads from it, and whose rules it fails."""
    sources = dict.fromkeys(f.finding.citation for f in endpoint.findings if f.finding.status == "fail")
    return (*_seen(endpoint.observations), *used_by(endpoint.references), *_labelled("source", sources))


def of_key(key: ExceptionJudgement, covered: Sequence[EndpointResult]) -> tuple[Row, ...]:
    """Tell of a declared key: the servers that it covers, as `of_server` does, and the key's own source."""
    rows: list[Row] = []
    for endpoint in covered[:3]:
        if len(covered) > 1:
            rows.append(("server", str(endpoint.endpoint)))
        rows += _seen(endpoint.observations)
        rows += used_by(endpoint.references)
    if len(covered) > 3:
        rows.append(("", f"{count(len(covered) - 3, 'more server')}"))
    return (*rows, ("source", f"Apple, {key.key or 'NSExceptionDomains'}"))


def of_observations(observations: Sequence[Observation]) -> tuple[Row, ...]:
    """Tell what was seen at each address, and what was refused."""
    return tuple(_seen(observations))


def _labelled(label: str, texts: Iterable[str]) -> list[Row]:
    return [(label if number == 0 else "", text) for number, text in enumerate(t for t in texts if t)]


def of_address(observation: Observation) -> str:
    """Say in a few words what was seen on an address."""
    return _of_address(observation)[0]


def _seen(observations: Sequence[Observation]) -> list[Row]:
    seen: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    for observation in observations:
        told, refusal = _of_address(observation)
        seen.setdefault(told, []).append(observation.address.ip)
        if refusal:
            refused.setdefault(refusal, []).append(observation.address.ip)
    rows = _labelled("seen", [f"{', '.join(ips)}: {told}" for told, ips in seen.items() if told])
    everywhere = len(observations) > 1 and len(refused) == 1
    texts = [
        text if everywhere or len(observations) == 1 else f"{', '.join(ips)}: {text}" for text, ips in refused.items()
    ]
    return rows + _labelled("refused", texts)


def _of_address(observation: Observation) -> tuple[str, str]:
    """Say what was seen on an address, and how it refused the client's own hello, if it did."""
    if isinstance(observation, Unreachable):
        return _REASONS[observation.reason], ""
    if isinstance(observation, PlaintextObservation):
        return http_answer(observation.answer), ""
    return _tls(observation)


def _tls(observation: TlsObservation) -> tuple[str, str]:
    best = next((e.outcome for e in observation.experiments if isinstance(e.outcome, Negotiated)), None)
    told = handshake(best) if best else next((outcome(e.outcome) for e in observation.experiments), "nothing was tried")
    first = observation.experiments[0] if observation.experiments else None
    if first is None or not isinstance(first.outcome, Refused) or best is None:
        return told, ""
    return told, f"the ATS hello: {outcome(first.outcome)}{_times(first)}"


def _times(experiment: Experiment) -> str:
    return {1: "", 2: ", twice"}.get(experiment.attempts, f", {experiment.attempts} times")


def handshake(negotiated: Negotiated) -> str:
    """Describe a handshake: version and suite, and the leaf that came with it."""
    told = f"{negotiated.version.title} {negotiated.cipher_suite}"
    return f"{told}, {leaf(negotiated.certificates[0])}" if negotiated.certificates else told


def leaf(certificate: Certificate) -> str:
    """Describe a leaf: key, hash of the signature, issuer, last day."""
    try:
        key = (
            certificate.key_type if certificate.is_elliptic_curve else f"{certificate.key_type} {certificate.key_bits}"
        )
        issuer = _common_name(certificate.issuer)
        until = certificate.not_after.date().isoformat()
        return f"leaf {key} {certificate.signature_hash}, issued by {issuer}, until {until}"
    except UnreadableCertificate:
        return "leaf unreadable"


def _common_name(issuer: str) -> str:
    """Give the common name out of an RFC 4514 text, else the whole of it."""
    for part in issuer.split(","):
        if part.startswith("CN="):
            return shortened(part.removeprefix("CN="))
    return shortened(issuer) or "an issuer without a name"


def outcome(result: Outcome) -> str:
    """Describe what an offer led to."""
    match result:
        case Negotiated():
            return f"{result.version.title} {result.cipher_suite}" + (f" {result.group}" if result.group else "")
        case Refused():
            return _refusal(result)
        case NoAnswer():
            told = f"alert {result.alert.number} ({result.alert.name})" if result.alert else _REASONS[result.reason]
            return f"{told}: {shortened(result.detail)}" if result.detail not in ("", _REASONS[result.reason]) else told
        case NotMade():
            return f"not made: {result.reason}"


def _refusal(refused: Refused) -> str:
    if isinstance(refused.by, Alert):
        return f"alert {refused.by.number} ({refused.by.name})"
    return f"answered with {refused.by.version.title}, which was not offered"


def http_answer(answer: HttpAnswer | NoAnswer) -> str:
    """Describe what ``GET /`` gave."""
    if isinstance(answer, NoAnswer):
        return shortened(answer.detail) if answer.reason == "garbage" and answer.detail else outcome(answer)
    told = f"HTTP {answer.status}"
    return f"{told} to {shortened(answer.location)}" if answer.location else told


def offer(made: Offer) -> str:
    """Describe an offer: versions, and how many suites and groups."""
    newest, oldest = max(made.versions).title, min(made.versions).title
    versions = newest if newest == oldest else f"{newest} to {oldest}"
    one = len(made.cipher_suites) == 1
    suites = made.cipher_suites[0] if one else count(len(made.cipher_suites), "suite")
    groups = made.groups[0] if len(made.groups) == 1 else count(len(made.groups), "group")
    return f"{versions}, {suites}, {groups}" if made.groups else f"{versions}, {suites}"


def used_by(references: Sequence[Reference]) -> list[Row]:
    """Give the first place that names a host, and how many more there are."""
    if not references:
        return []
    first = references[0]
    rows = [("used by", place(first))]
    more = f"; {len(references) - 1} more" if len(references) > 1 else ""
    rows.append(("", f'"{shortened(first.text)}"{more}'))
    return rows
