"""The table of ``nscurl --ats-diagnostics``: its tests, the rows that they give for a host, and the errors of URLSession."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atsprobe.model.dictionary import ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.judgement import Finding, Verdict
from atsprobe.model.observation import Address, Observation, Resolution, TlsObservation
from atsprobe.model.policy import Client

DiagnosticAnswer = Literal["PASS", "FAIL", "INCONCLUSIVE"]


@dataclass(frozen=True)
class UrlSessionError:
    """An NSURLError code, and the ``_kCFStreamErrorCodeKey`` inside it (None where there is none)."""

    code: int
    stream_code: int | None = None

    @property
    def telling(self) -> int:
        """The code that tells more: the inner one where there is one."""
        return self.code if self.stream_code is None else self.stream_code


@dataclass(frozen=True)
class DiagnosticTest:
    """One test: the section it stands in, its label, and the NSAppTransportSecurity under which the https load is made.

    ``is_nscurls`` is false for a test that nscurl does not make.
    """

    section: str
    label: str
    dictionary: dict[str, PlistValue]
    is_nscurls: bool = True


@dataclass(frozen=True)
class DiagnosticRow:
    """A test with its result, the worst of all addresses: FAIL, then INCONCLUSIVE, then PASS.

    ``failing`` are the requirements that are not met, the one first that ``error`` comes from; it is empty where the server
    refuses for a reason that no requirement names. ``reason`` says in words why the row fails, or why nothing can be said.
    ``addresses`` are those that have this result. ``remark`` is what else should be known of the row.
    """

    test: DiagnosticTest
    result: DiagnosticAnswer
    error: UrlSessionError | None = None
    failing: tuple[Finding, ...] = ()
    reason: str = ""
    addresses: tuple[Address, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """The rows of one https endpoint as one client sees it, and what follows from them.

    ``verdict`` is that of default ATS, ``minimal_exception`` the smallest entry for the host under which it works (empty for
    pass and exempt, None where none does or nothing can be said), both without a look at the linked SDK; ``justified`` are
    the keys of it that App Review wants a reason for. ``needs_code`` says that an app linked with the SDK of ``client`` also has
    to ask for the older version in code. ``addresses`` are those that took part.
    """

    endpoint: Endpoint
    client: Client
    rows: tuple[DiagnosticRow, ...]
    verdict: Verdict
    minimal_exception: ExceptionEntry | None
    justified: tuple[str, ...]
    needs_code: bool
    addresses: tuple[Address, ...]
    resolution: Resolution | None
    observations: tuple[Observation, ...]

    @property
    def default(self) -> DiagnosticRow:
        """The row of default ATS, which decides the exit code."""
        return self.rows[0]

    @property
    def nscurls(self) -> tuple[DiagnosticRow, ...]:
        """The rows that nscurl has too, in its order."""
        return tuple(row for row in self.rows if row.test.is_nscurls)

    @property
    def others(self) -> tuple[DiagnosticRow, ...]:
        """The rows that nscurl does not have."""
        return tuple(row for row in self.rows if not row.test.is_nscurls)

    @property
    def addresses_agree(self) -> bool:
        """Whether every row has the same result on every address."""
        return all(len(row.addresses) == len(self.addresses) for row in self.rows)

    def connections(self, address: Address) -> int:
        """Count the connections made to an address, each row computed from the same ones."""
        seen = (o for o in self.observations if isinstance(o, TlsObservation) and o.address.ip == address.ip)
        return sum(experiment.attempts for o in seen for experiment in o.experiments)
