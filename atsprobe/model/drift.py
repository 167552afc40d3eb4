"""What differs between two audits of the same servers or app, both judged by the same rules as the same clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atsprobe.model.dictionary import PlistValue
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import RequirementId

Effect = Literal["worse", "better", "unknown", "note"]
"""Whether something got worse or better, could not be compared, or only differs."""

ChangeKind = Literal[
    "declared-verdict",  # what an app's dictionary makes of a load
    "verdict",  # what default ATS makes of it
    "requirement",  # one requirement of default ATS, under the same verdict or another
    "protocol",  # the newest TLS version that every address negotiates
    "endpoint",  # a load that one of the audits does not have
    "exception",  # the status of a declared key
    "certificate",  # another leaf
    "pin",  # what NSPinnedDomains names, and what the server has
]


@dataclass(frozen=True)
class Change:
    """One difference. ``before`` and ``after`` are words of its kind, empty where the thing was not there.

    Of ``endpoint`` and ``key`` one is given: a load, or a declared key (with ``domain``, and ``value`` as it is now, or
    last was). ``bundle`` is whose dictionary it is about. ``requirement`` is there for that kind alone; for a pin the list
    that is meant stands in ``key`` beside its endpoint. ``evidence`` says what was seen.
    """

    kind: ChangeKind
    effect: Effect
    before: str
    after: str
    evidence: str = ""
    bundle: str | None = None
    endpoint: Endpoint | None = None
    domain: str | None = None
    key: str | None = None
    value: PlistValue | None = None
    requirement: RequirementId | None = None


@dataclass(frozen=True)
class PinAtRisk:
    """A list of NSPinnedDomains that the newer audit still satisfies, and soon may not: no change, but a thing to know.

    ``expires``: the pinned leaf ends within 30 days. ``no-backup``: it names no key but those in use (RFC 7469 §4.3 asks for
    one more).
    """

    bundle: str
    host: Host
    key: str
    risk: Literal["expires", "no-backup"]
    evidence: str
