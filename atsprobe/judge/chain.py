"""What a requirement about certificates is asked about: one chain, for one host, at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.x509.oid import NameOID

from atsprobe.judge.path import Path
from atsprobe.model.certificate import Certificate, read_off
from atsprobe.model.endpoint import Host
from atsprobe.model.observation import RevocationAnswer
from atsprobe.model.policy import PinnedIdentities, Policy
from atsprobe.model.trust_store import TrustStore

_APPLE = frozenset({"Apple Inc.", "Apple Computer, Inc."})


@dataclass(frozen=True)
class ChainQuestion:
    """A chain as received, and all that decides whether it is accepted: equal questions have equal answers.

    ``extended_checks`` says that ATS adds its own checks to the client's usual server trust (the hash and the key of the
    leaf). ``ocsp_response`` and ``scts`` came with the handshake. ``client`` is the version of the client, empty for the
    newest. ``offered_signatures`` are what the leaf must be signed with, None where that is not asked;
    ``niap_in_force`` says that a key asked for it. ``root_margin_days``: so long before a root ends the client may refuse it.
    ``is_from_file``: no handshake brought it. ``revocation`` is what the auditor was told about leaves.
    """

    certificates: tuple[Certificate, ...]
    host: Host
    trust: TrustStore
    at: datetime
    extended_checks: bool = True
    pins: PinnedIdentities | None = None
    ocsp_response: bytes | None = None
    scts: bytes | None = None
    client: tuple[int, ...] = ()
    offered_signatures: tuple[str, ...] | None = None
    niap_in_force: bool = False
    root_margin_days: int = 0
    is_from_file: bool = False
    revocation: tuple[RevocationAnswer, ...] = ()

    @classmethod
    def under(
        cls, policy: Policy, certificates: tuple[Certificate, ...], trust: TrustStore, at: datetime
    ) -> ChainQuestion:
        """Ask what a policy makes of a chain for its host; what came with the handshake is for the caller to add."""
        offered = policy.offer.signature_algorithms if policy.requires_offered_certificate_signature else None
        return cls(
            certificates=certificates,
            host=policy.host,
            trust=trust,
            at=at,
            extended_checks=policy.minimum_tls_version is not None,
            pins=policy.pins,
            client=policy.client.profile.oldest,
            offered_signatures=offered,
            niap_in_force=policy.niap_in_force,
            root_margin_days=policy.client.profile.root_margin_days,
        )

    def is_at_least(self, version: tuple[int, ...]) -> bool:
        """Say whether every client of the profile asked about is of this version or newer."""
        return not self.client or self.client >= version


@dataclass(frozen=True)
class ChainCase:
    """One path through a chain, put to the requirements about certificates."""

    question: ChainQuestion
    path: Path

    @property
    def leaf(self) -> Certificate:
        """The server's own certificate."""
        return self.path.leaf

    @property
    def is_certainly_private(self) -> bool:
        """Whether the path ends in a root that Apple does not ship."""
        return self.path.anchor == "installed" or self.path.problem in ("self-signed", "unknown-root")

    @property
    def is_as_if_public(self) -> bool:
        """Whether the path ends in a root that Apple does not ship, and that is to be judged as if it did."""
        return self.path.last.der in self.question.trust.as_if_public

    @property
    def is_under_apples_own_root(self) -> bool:
        """Whether the path ends in a root of Apple's own, which the client asks for less (SecPolicyServer.c)."""
        if self.path.anchor != "public" or self.is_as_if_public:
            return False
        subject = read_off(lambda: self.path.last.parsed.subject)
        return any(a.value in _APPLE for a in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
