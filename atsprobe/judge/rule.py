"""What a requirement is called and where it stands; it makes that requirement's findings."""

from __future__ import annotations

from dataclasses import dataclass

from atsprobe.model.judgement import Finding, RequirementId, Status


@dataclass(frozen=True)
class Rule:
    """The identity of one requirement: its id, its source, and the ATS key that relaxes it (None: no key does)."""

    id: RequirementId
    citation: str
    fixable_by: str | None = None

    def passes(self, evidence: str) -> Finding:
        """Say that it is met."""
        return self._finding("pass", evidence)

    def fails(self, evidence: str, *, fixable: bool = True) -> Finding:
        """Say that it is not met; ``fixable`` is false where the requirement's key would not help in this case."""
        return Finding(self.id, "fail", evidence, self.citation, self.fixable_by if fixable else None)

    def warns(self, evidence: str) -> Finding:
        """Say that it is met by this client, with something that its owner should know."""
        return self._finding("warn", evidence)

    def unknown(self, evidence: str) -> Finding:
        """Say that it could not be told, and why."""
        return self._finding("unknown", evidence)

    def does_not_apply(self, evidence: str) -> Finding:
        """Say that nothing is asked here, and why."""
        return self._finding("not-applicable", evidence)

    def _finding(self, status: Status, evidence: str) -> Finding:
        return Finding(self.id, status, evidence, self.citation)
