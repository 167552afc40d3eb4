"""Why a load could not be judged, or was refused, in a few words for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import (
    HYBRID_GROUPS,
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    NotMade,
    Refused,
    UnofferedVersion,
)
from atsprobe.model.law_of_offers import Contradiction, Following
from atsprobe.model.observation import Observation, PlaintextObservation, TlsObservation, Unreachable

_NO_ANSWER = {
    "timeout": "no answer in time",
    "reset": "the connection was reset",
    "closed": "the connection was closed without an answer",
    "connection-refused": "the connection was refused",
    "not-tls": "the port does not speak TLS",
    "alert": "an alert that does not speak of the offer",
    "too-large": "more data than is read",
    "garbage": "no TLS handshake in the answer",
    "contradictory": "two handshakes contradict each other",
}

_UNREACHABLE = {
    "connection-refused": "the port is closed (connection refused)",
    "timeout": "no TCP answer in time",
    "no-route": "no route to this address family from here",
    "not-contacted": "a local or private address, not contacted",
    "interrupted": "the audit ended before it was looked at",
    "failed": "no connection could be made",
}


def of_no_answer(answer: NoAnswer) -> str:
    """Say why an exchange gave nothing."""
    if answer.alert is not None:
        return f"alert {answer.alert.number} ({answer.alert.name})"
    text = _NO_ANSWER[answer.reason]
    return f"{text}: {answer.detail}" if answer.detail else text


def of_refusal(refused: Refused) -> str:
    """Say how a server refused."""
    match refused.by:
        case Alert() as alert:
            return f"the client's hello is refused: alert {alert.number} ({alert.name})"
        case UnofferedVersion(version=version):
            return f"the client's hello is answered with {version.title}"
        case _:
            assert_never(refused.by)


def of_unsettled(following: Following, seen: TlsObservation) -> str:
    """Say why the experiments do not settle an offer."""
    if isinstance(following, Contradiction):
        return "the client's hello was accepted once and refused once (throttled?)"
    tried = getattr(following, "tried", None)
    if isinstance(tried, NoAnswer):
        return of_no_answer(tried)
    if isinstance(tried, NotMade):
        return f"a hello that this tool cannot say: {tried.reason}"
    if isinstance(tried, Refused) and any(_refuses_tls_1_3(e) for e in seen.experiments):
        return _of_hybrid(seen.experiments)
    if seen.cut_short:
        return seen.cut_short
    last = next((e.outcome for e in reversed(seen.experiments) if isinstance(e.outcome, NoAnswer)), None)
    if last is not None and not (isinstance(tried, Refused) and last.reason == "alert"):
        return of_no_answer(last)
    if isinstance(tried, Refused):
        return _of_hybrid(seen.experiments)
    return "the client's hello was not tried"


def _refuses_tls_1_3(experiment: Experiment) -> bool:
    return experiment.offer.versions == (TlsVersion.TLS_1_3,) and isinstance(experiment.outcome, Refused)


def _of_hybrid(experiments: Iterable[Experiment]) -> str:
    """Say why a server that refuses the client's hello, said without its hybrid group, may accept it all the same."""
    said = [e.outcome for e in experiments if HYBRID_GROUPS.intersection(e.offer.groups)]
    if any(isinstance(o, Negotiated) and o.group in HYBRID_GROUPS for o in said):
        return "accepts X25519MLKEM768 alone, and whether with what the client offers was not seen"
    if said:
        return "refuses every hello that the client makes without X25519MLKEM768, and one with it settled nothing"
    return "refuses every hello, but may speak X25519MLKEM768 alone, which this tool cannot offer"


def of_absence(seen: Observation | None, why_no_address: str, *, not_contacted: bool) -> str:
    """Say why there is no observation to judge; ``why_no_address`` is what became of the name, empty where not known."""
    match seen:
        case Unreachable(reason=reason, detail=detail):
            text = _UNREACHABLE[reason]
            return f"{text}: {detail}" if detail and detail not in text else text
        case PlaintextObservation(answer=NoAnswer() as answer):
            return of_no_answer(answer)
        case TlsObservation() | PlaintextObservation():
            return "seen under another scheme only"
        case None:
            return _UNREACHABLE["not-contacted"] if not_contacted else why_no_address or "no address is known"
        case _:
            assert_never(seen)
