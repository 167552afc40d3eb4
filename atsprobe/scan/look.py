"""One look at one address: experiments made one at a time, within bounds of time and patience."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from atsprobe.model.certificate import Certificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import Experiment, Negotiated, NoAnswer, NotMade, Offer, Outcome, Refused
from atsprobe.model.observation import HttpAnswer
from atsprobe.scan import http_request
from atsprobe.scan.connection import Stream, Then
from atsprobe.scan.engine import attempt
from atsprobe.scan.listening_socket import NotConnected
from atsprobe.scan.pace import DeadlinePassed, Interrupted, Pace
from atsprobe.scan.task import ScanTask

INTERRUPTED = "interrupted"
_PAUSE = 0.3
"""Seconds before what failed, or contradicted itself, is tried again."""

_TIMEOUTS = 2
_SILENCES = 4
"""How many hellos may time out in all, and go without any answer in a row, until the rest is given up."""

_REQUESTS = 2
"""How often ``/`` is asked for, as long as no answer comes."""


class GivenUp(Exception):
    """Says why not all experiments that were planned are made."""


class Look:
    """The experiments made with one address so far, and the means to make more."""

    def __init__(self, task: ScanTask, pace: Pace) -> None:
        """Start the clock."""
        self.task = task
        self.experiments: list[Experiment] = []
        self.connections = 0
        self.http_answer: HttpAnswer | NoAnswer | None = None
        self.began = datetime.now(UTC)
        self._pace = pace
        self._deadline = pace.deadline(task.limits.deadline)
        self._chains: dict[tuple[Certificate, ...], tuple[Certificate, ...]] = {}
        self._staples: dict[bytes, bytes] = {}
        self._requests = 0
        self._timeouts = 0
        self._silences = 0
        self._retry_was_in_vain = False

    @property
    def was_answered(self) -> bool:
        """Whether any hello got a handshake or a refusal."""
        return any(isinstance(e.outcome, Negotiated | Refused) for e in self.experiments)

    @property
    def was_hung_up_on(self) -> bool:
        """Whether every hello so far ended by a reset or a close."""
        return all(
            isinstance(e.outcome, NoAnswer) and e.outcome.reason in ("reset", "closed") for e in self.experiments
        )

    def make(self, offer: Offer) -> Outcome:
        """Make an experiment and keep it. What was reset or closed is tried once more, unless that was in vain before.

        Raises GivenUp when time or patience is over, NotConnected where the very first connection fails.
        """
        self._check_patience(offer)
        outcome, attempts = self._attempt(offer), 1
        if self._is_worth_a_retry(offer, outcome):
            self.pause()
            outcome, attempts = self._attempt(offer), 2
            self._retry_was_in_vain = isinstance(outcome, NoAnswer)
        self.experiments.append(Experiment(offer, outcome, attempts))
        self._count(offer, outcome)
        return outcome

    def again(self, offer: Offer) -> Outcome:
        """Make a connection with an offer made before, and keep nothing. Raises GivenUp."""
        return self._attempt(offer)

    def replace(self, old: Experiment, outcome: Outcome, attempts: int) -> None:
        """Put another outcome in the place of an experiment's own."""
        place = next(i for i, e in enumerate(self.experiments) if e is old)
        self.experiments[place] = replace(old, outcome=outcome, attempts=attempts)

    def pause(self) -> None:
        """Wait a moment. Raises GivenUp where the time does not suffice."""
        try:
            self._deadline.sleep(_PAUSE)
        except OSError as error:
            raise self._given_up(error) from None

    def _attempt(self, offer: Offer) -> Outcome:
        limits = self.task.limits
        try:
            with self._pace.turn(self.task.address, limits.rate, self._deadline):
                outcome = attempt(self.task, offer, self._deadline.within(limits.timeout), self._then())
                self.connections += not isinstance(outcome, NotMade)
        except NotConnected as error:
            if not self.experiments:
                raise
            reasons = {"timeout": NoAnswer("timeout"), "connection-refused": NoAnswer("connection-refused")}
            return reasons.get(error.reason, NoAnswer("reset", error.detail or error.reason))
        except (Interrupted, DeadlinePassed) as error:
            raise self._given_up(error) from None
        return self._sharing(outcome)

    def _given_up(self, error: OSError) -> GivenUp:
        if isinstance(error, Interrupted):
            return GivenUp(INTERRUPTED)
        return GivenUp(f"the time for one address was over ({self.task.limits.deadline:g} s)")

    def _then(self) -> Then | None:
        wanted = self.task.request_http and not isinstance(self.http_answer, HttpAnswer)
        return self._get if wanted and self._requests < _REQUESTS else None

    def _get(self, stream: Stream) -> None:
        self._requests += 1
        self.http_answer = http_request.get(stream, self.task.endpoint)

    def _sharing(self, outcome: Outcome) -> Outcome:
        """Let equal chains and staples of many handshakes be one object."""
        if not isinstance(outcome, Negotiated):
            return outcome
        staple = outcome.ocsp_response
        return replace(
            outcome,
            certificates=self._chains.setdefault(outcome.certificates, outcome.certificates),
            ocsp_response=None if staple is None else self._staples.setdefault(staple, staple),
        )

    def _is_worth_a_retry(self, offer: Offer, outcome: Outcome) -> bool:
        if self._retry_was_in_vain or _is_ssl_2(offer):
            return False
        return isinstance(outcome, NoAnswer) and outcome.reason in ("reset", "closed")

    def _count(self, offer: Offer, outcome: Outcome) -> None:
        if isinstance(outcome, Negotiated | Refused):
            self._silences = 0
        elif isinstance(outcome, NoAnswer) and not _is_ssl_2(offer):
            self._silences += outcome.reason != "alert" or not self.was_answered
            self._timeouts += outcome.reason == "timeout"

    def _check_patience(self, offer: Offer) -> None:
        last = self.experiments[-1].outcome if self.experiments else None
        if isinstance(last, NoAnswer) and last.reason == "not-tls" and not self.was_answered:
            raise GivenUp("the port does not speak TLS")
        if self._timeouts >= _TIMEOUTS:
            raise GivenUp(f"no answer to {self._timeouts} hellos in time")
        if self._silences >= _SILENCES and offer.ceiling > TlsVersion.SSL_3_0:
            raise GivenUp(f"no answer to {self._silences} hellos in a row")


def _is_ssl_2(offer: Offer) -> bool:
    return offer.ceiling is TlsVersion.SSL_2_0
