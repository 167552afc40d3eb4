"""The https side: make each hello whose outcome does not follow yet, settle what contradicts itself, enumerate."""

from __future__ import annotations

from atsprobe.model.handshake import Experiment, Negotiated, NoAnswer, Refused
from atsprobe.model.law_of_offers import Contradiction, outcome_of
from atsprobe.model.next_offer import next_offer, waits_for_hybrid
from atsprobe.model.observation import TlsObservation, Unreachable, UnreachableReason
from atsprobe.scan.engine import hybrid_hello
from atsprobe.scan.enumerate import enumerate_all, last_refusals_hold, look_for_older_versions
from atsprobe.scan.listening_socket import NotConnected
from atsprobe.scan.look import INTERRUPTED, GivenUp, Look
from atsprobe.scan.pace import Pace
from atsprobe.scan.task import ScanTask

_ROUNDS = 3
"""How often contradictions are looked for; each round may bring new ones to light."""

_MOST_CONNECTIONS = 8
"""How many connections decide everything about an address, and none is spent on doubt beyond them."""


def observe(task: ScanTask, pace: Pace) -> TlsObservation | Unreachable:
    """Find out what the task asks of an https endpoint on its address; never raises."""
    look = Look(task, pace)
    enumerated, cut_short = False, ""
    try:
        _decide_or_look_for_older_versions(look)
        if task.enumerate:
            cut_short = enumerate_all(look)
            enumerated = not cut_short
            settle_contradictions(look)
        elif look.connections < _MOST_CONNECTIONS and not last_refusals_hold(look):
            cut_short = "it stopped accepting what it had accepted"
    except NotConnected as error:
        return _unreachable(look, error.reason, error.detail)
    except GivenUp as reason:
        cut_short = str(reason)
    except Exception as error:  # noqa: BLE001 - whatever a server provokes, the others' scans go on
        cut_short = f"failed: {type(error).__name__}: {error}"[:200]
    if cut_short and not look.experiments:
        return (
            _unreachable(look, "interrupted") if cut_short == INTERRUPTED else _unreachable(look, "failed", cut_short)
        )
    return TlsObservation(
        endpoint=task.endpoint,
        address=task.address,
        observed_at=look.began,
        experiments=tuple(look.experiments),
        http_answer=look.http_answer,
        enumerated=enumerated,
        cut_short=cut_short,
    )


def _unreachable(look: Look, reason: UnreachableReason, detail: str = "") -> Unreachable:
    return Unreachable(look.task.endpoint, look.task.address, look.began, reason, detail)


def _decide_or_look_for_older_versions(look: Look) -> None:
    try:
        decide(look)
    except GivenUp:
        if look.task.enumerate and look.was_hung_up_on:
            look_for_older_versions(look)
        raise


def decide(look: Look) -> None:
    """Make the task's offers, each only where its outcome does not follow, and settle contradictions among them."""
    for _ in range(_ROUNDS):
        while offer := next_offer(look.task.offers, look.experiments):
            look.make(offer)
        _say_hybrid(look)
        if not settle_contradictions(look):
            return


def _say_hybrid(look: Look) -> None:
    """Say the hybrid group, where only that could still settle an offer and some engine can; once."""
    if not waits_for_hybrid(look.task.offers, look.experiments):
        return
    hello = hybrid_hello()
    if hello is not None and all(e.offer != hello for e in look.experiments):
        look.make(hello)


def settle_contradictions(look: Look) -> bool:
    """Try again, slower, what two experiments contradict about an offer; say whether any experiment was changed.

    A refusal that does not repeat itself gives way to the handshake that came instead. One that does is
    ``contradictory``, since a smaller hello was accepted; so is a handshake that is refused the second time.
    """
    changed = False
    for offer in look.task.offers:
        following = outcome_of(offer, look.experiments)
        if isinstance(following, Contradiction):
            changed = _settle(look, following) or changed
    return changed


def _settle(look: Look, contradiction: Contradiction) -> bool:
    accepted = _made_with(look, contradiction.negotiated)
    refused = _made_with(look, contradiction.refused)
    if accepted is None or refused is None:
        return False
    doubt = NoAnswer("contradictory", "one hello was accepted, another that should be, too, was not")
    look.pause()
    once_more = look.again(accepted.offer)
    look.pause()
    refused_once_more = look.again(refused.offer)
    if isinstance(once_more, Refused):
        look.replace(accepted, doubt, accepted.attempts + 1)
    settled = isinstance(refused_once_more, Negotiated) and not isinstance(once_more, Refused)
    look.replace(refused, refused_once_more if settled else doubt, refused.attempts + 1)
    return True


def _made_with(look: Look, outcome: Negotiated | Refused) -> Experiment | None:
    same = [e for e in look.experiments if e.outcome is outcome]
    return next(iter(same or [e for e in look.experiments if e.outcome == outcome]), None)
