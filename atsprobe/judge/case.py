"""What a requirement is asked about: one load on one address under one policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from atsprobe.model.endpoint import Endpoint
from atsprobe.model.observation import Address, Observation
from atsprobe.model.policy import Policy
from atsprobe.model.trust_store import TrustStore


@dataclass(frozen=True)
class Case:
    """One load on one address under one policy, and all that may be looked at to judge it.

    ``seen`` is the observation of the endpoint itself on this address. ``https_seen`` is that of the https endpoint to which
    an http load leads: its counterpart when `policy.http_is_loaded_as_https`, else where its answer sends it on the same
    host; None where it leads nowhere. ``sent_on_to_https`` says that its answer does. None for both observations where the name
    did not resolve (``why_no_address`` says why) or the host is never contacted (``not_contacted``). ``at`` is the instant at
    which certificates are judged.
    """

    endpoint: Endpoint
    address: Address | None
    seen: Observation | None
    https_seen: Observation | None
    sent_on_to_https: bool
    not_contacted: bool
    policy: Policy
    trust: TrustStore
    at: datetime
    accepts_server_trust: bool = False
    why_no_address: str = ""
