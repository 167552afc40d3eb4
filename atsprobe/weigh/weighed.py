"""The covered cases of a key, each with and without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from atsprobe.model.app import Load
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Judgement
from atsprobe.weigh.evidence import works

CaseKey = tuple[Endpoint, str, str]
"""Endpoint, address and profile of a case."""


def failures(judgement: Judgement) -> str:
    """Give the evidence of what fails."""
    return "; ".join(f.evidence for f in judgement.findings if f.status == "fail")


@dataclass(frozen=True)
class WeighedCase:
    """One load on one address and profile, judged with the key and without it."""

    endpoint: Endpoint
    address: str
    profile: str
    judged_with: Judgement
    judged_without: Judgement

    @property
    def with_key(self) -> bool | None:
        """Whether it works with the key (None: could not tell)."""
        return works(self.judged_with.outcome)

    @property
    def without_key(self) -> bool | None:
        """Whether it works without the key (None: could not tell)."""
        return works(self.judged_without.outcome)

    @property
    def why_fails(self) -> str:
        """What fails without the key."""
        return failures(self.judged_without)

    @property
    def why_fails_with(self) -> str:
        """What fails even with the key."""
        return failures(self.judged_with)

    @property
    def why_unknown(self) -> str:
        """Why it could not be judged with or without the key."""
        judged = self.judged_with if self.with_key is None else self.judged_without
        return judged.reason if works(judged.outcome) is None else ""

    @property
    def needs_key(self) -> bool:
        """Whether it works with the key and is seen to fail without."""
        return self.with_key is True and self.without_key is False


@dataclass(frozen=True)
class Weighed:
    """All cases that a key covers. ``passes_over_https`` says of an http load whether its https counterpart would do."""

    cases: tuple[WeighedCase, ...]
    loads: tuple[Load, ...]
    passes_over_https: Callable[[Endpoint], bool]

    def _is_replaceable(self, case: WeighedCase) -> bool:
        return case.endpoint.scheme == "http" and self.passes_over_https(case.endpoint)

    @cached_property
    def is_judged(self) -> bool:
        """Whether there are cases, and each was judged both ways or could be loaded over https instead."""
        return bool(self.cases) and all(
            (c.with_key is not None and c.without_key is not None) or self._is_replaceable(c) for c in self.cases
        )

    @property
    def works_without(self) -> bool:
        """Whether every case works without the key."""
        return all(c.without_key is True for c in self.cases)

    @property
    def fails_only_where_https_passes(self) -> bool:
        """Whether every case that does not work without the key is an http load whose counterpart passes."""
        return all(c.without_key is True or self._is_replaceable(c) for c in self.cases)

    @property
    def is_needed(self) -> bool:
        """Whether some case works with the key and fails without."""
        return any(c.needs_key for c in self.cases)

    @property
    def hosts_in_need(self) -> tuple[Host, ...]:
        """The hosts with a case that needs the key."""
        return tuple(dict.fromkeys(c.endpoint.host for c in self.cases if c.needs_key))

    @property
    def all_hosts_need_it(self) -> bool:
        """Whether every covered host needs the key; true of no hosts."""
        return {c.endpoint.host for c in self.cases} == set(self.hosts_in_need)

    def keeps_working(self, outcomes: Mapping[CaseKey, Judgement]) -> bool:
        """Say whether each case that works with the key works by these outcomes too."""
        return all(works(outcomes[c.endpoint, c.address, c.profile].outcome) for c in self.cases if c.with_key is True)
