"""Every hello made with a server and its outcome, address by address."""

from __future__ import annotations

from collections.abc import Iterable

from atsprobe.model.endpoint import Endpoint
from atsprobe.model.observation import Observation, TlsObservation
from atsprobe.report.text.evidence import offer, outcome
from atsprobe.report.text.layout import Page


def add_handshakes(page: Page, endpoint: Endpoint, observations: Iterable[Observation]) -> None:
    """List every offer made with an endpoint and its outcome."""
    for observation in observations:
        if not isinstance(observation, TlsObservation):
            continue
        page.blank()
        page.add((f"{endpoint} on {observation.address}", "strong"), hang=6)
        for experiment in observation.experiments:
            page.add(f"{offer(experiment.offer)}: {outcome(experiment.outcome)}", indent=2, hang=6)
        if observation.cut_short:
            page.add(f"cut short: {observation.cut_short}", indent=2, hang=6)
