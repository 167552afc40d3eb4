"""Every requirement, in the order in which findings are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atsprobe.judge.case import Case
from atsprobe.judge.chain import ChainCase
from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.requirements import (
    certificate_hostname,
    certificate_key_size,
    certificate_lifetime,
    certificate_purpose,
    certificate_revocation,
    certificate_signature_hash,
    certificate_transparency,
    certificate_trust,
    certificate_validity,
    cipher_suite,
    extended_master_secret,
    forward_secrecy,
    insecure_http,
    pinned_identity,
    tls_version,
)
from atsprobe.judge.rule import Rule
from atsprobe.model.judgement import Finding


@dataclass(frozen=True)
class AboutLoad:
    """A requirement on the load as it is written."""

    rule: Rule
    check: Callable[[Case], Finding]


@dataclass(frozen=True)
class AboutHandshakes:
    """A requirement on the connection."""

    rule: Rule
    check: Callable[[Handshakes], Finding]


@dataclass(frozen=True)
class AboutChain:
    """A requirement on the certificates.

    ``decides_when_unknown`` is false where an unknown answer leaves a load as it is: otherwise no public host would ever pass.
    ``apart`` gives each of several faults a finding of its own, where ``check`` puts them into one.
    """

    rule: Rule
    check: Callable[[ChainCase], Finding]
    decides_when_unknown: bool = True
    apart: Callable[[ChainCase], tuple[Finding, ...]] | None = None


Requirement = AboutLoad | AboutHandshakes | AboutChain

REQUIREMENTS: tuple[Requirement, ...] = (
    AboutLoad(insecure_http.RULE, insecure_http.check),
    AboutHandshakes(tls_version.RULE, tls_version.check),
    AboutHandshakes(forward_secrecy.RULE, forward_secrecy.check),
    AboutHandshakes(cipher_suite.RULE, cipher_suite.check),
    AboutChain(certificate_key_size.RULE, certificate_key_size.check),
    AboutChain(certificate_signature_hash.RULE, certificate_signature_hash.check),
    AboutChain(certificate_hostname.RULE, certificate_hostname.check),
    AboutChain(certificate_validity.RULE, certificate_validity.check),
    AboutChain(certificate_trust.RULE, certificate_trust.check, apart=certificate_trust.apart),
    AboutChain(certificate_purpose.RULE, certificate_purpose.check),
    AboutChain(certificate_lifetime.RULE, certificate_lifetime.check, decides_when_unknown=False),
    AboutChain(certificate_transparency.RULE, certificate_transparency.check, decides_when_unknown=False),
    AboutChain(certificate_revocation.RULE, certificate_revocation.check, decides_when_unknown=False),
    AboutChain(pinned_identity.RULE, pinned_identity.check),
    AboutHandshakes(extended_master_secret.RULE, extended_master_secret.check),
)
