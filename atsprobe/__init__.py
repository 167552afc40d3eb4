"""Will App Transport Security let an iOS app load from its servers, and is each exception still needed?

``audit`` looks and concludes; ``record`` looks; ``conclude`` works on a recording without a packet; ``hosts`` extracts
alone; ``rejudge`` reads a saved audit; ``diagnose`` gives nscurl's table for hosts; ``policy`` says what an Info.plist
demands; ``certificate`` judges a chain in files; ``drift`` compares two saved audits. Each is imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atsprobe.model.judgement import Waiver as Waiver
    from atsprobe.model.recording import IgnoreRule as IgnoreRule
    from atsprobe.pipelines.audit import audit as audit
    from atsprobe.pipelines.certificate import certificate as certificate
    from atsprobe.pipelines.diagnose import diagnose as diagnose
    from atsprobe.pipelines.drift import drift as drift
    from atsprobe.pipelines.hosts import hosts as hosts
    from atsprobe.pipelines.policy import policy as policy
    from atsprobe.pipelines.record import record as record
    from atsprobe.pipelines.rejudge import rejudge as rejudge
    from atsprobe.settings import Settings as Settings
    from atsprobe.weigh.conclude import conclude as conclude

_PUBLIC = {
    "audit": "atsprobe.pipelines.audit",
    "certificate": "atsprobe.pipelines.certificate",
    "conclude": "atsprobe.weigh.conclude",
    "diagnose": "atsprobe.pipelines.diagnose",
    "drift": "atsprobe.pipelines.drift",
    "hosts": "atsprobe.pipelines.hosts",
    "policy": "atsprobe.pipelines.policy",
    "record": "atsprobe.pipelines.record",
    "rejudge": "atsprobe.pipelines.rejudge",
    "IgnoreRule": "atsprobe.model.recording",
    "Settings": "atsprobe.settings",
    "Waiver": "atsprobe.model.judgement",
}

__all__ = [
    "IgnoreRule",
    "Settings",
    "Waiver",
    "audit",
    "certificate",
    "conclude",
    "diagnose",
    "drift",
    "hosts",
    "policy",
    "record",
    "rejudge",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'atsprobe' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
