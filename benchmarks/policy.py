"""Resolving and judging, measured: hosts a second against ever more exception domains, observations a second.

No packet is sent, and nothing is read from disk but the package's own data: one process, one core. Seconds are those of the
processor, so that a busy machine disturbs little; trust the ratios (does it stay flat as the input grows?) all the same. Run it
with ``make bench-policy`` (or ``python -m benchmarks.policy --hosts 10000`` for a quick look).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.certificate_files import apple_roots
from atsprobe.model.app import Extraction
from atsprobe.model.certificate import Certificate
from atsprobe.model.cipher_suite import TlsVersion, is_static_rsa, is_tls_1_3_suite, usable
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Argument, Endpoint, Host, Reference
from atsprobe.model.handshake import Alert, Experiment, Negotiated, Offer, Outcome, Refused
from atsprobe.model.next_offer import next_offer
from atsprobe.model.observation import Address, Observation, Resolution, Resolved, TlsObservation
from atsprobe.model.policy import Client
from atsprobe.model.recording import Recording
from atsprobe.weigh.conclude import conclude

DOMAINS = (1, 100, 1_000, 10_000)
FLAT = 0.5
"""The least part of its speed that may be left when the input grows: a scan of 10,000 domains would leave a thousandth."""

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HTTP, PFS, SUB = "NSExceptionAllowsInsecureHTTPLoads", "NSExceptionRequiresForwardSecrecy", "NSIncludesSubdomains"


def resolver(domains: int, *, networks: bool = False) -> PolicyResolver:
    """Give a resolver of so many exceptions, every second of which reaches down (for addresses: networks)."""
    names = (f"10.{n >> 8 & 255}.{n & 255}.0/24" if networks else f"domain-{n}.example.com" for n in range(domains))
    entries = {name: {HTTP: True, SUB: True} if n % 2 == 0 else {PFS: False} for n, name in enumerate(names)}
    return PolicyResolver(Client(profiles()[-1]), AtsDictionary.from_plist({"NSExceptionDomains": entries}))


def hosts_for(domains: int, count: int) -> list[Host]:
    """Give hosts, a third each: named by an exception, three labels below one, named by none."""
    third = ("domain-{d}.example.com", "h{n}.eu.api.domain-{d}.example.com", "h{n}.cdn.example.org")
    return [Host(third[n % 3].format(n=n, d=n * 7 % domains // 2 * 2)) for n in range(count)]


def per_second(asked: PolicyResolver, hosts: Sequence[Host]) -> float:
    """Give how many hosts are resolved in a second of processor time."""
    started = time.process_time()
    for host in hosts:
        asked.policy(host)
    return len(hosts) / (time.process_time() - started)


def resolving(count: int, rounds: int) -> bool:
    """Print hosts a second against 1 to 10,000 exception domains; say whether that is flat."""
    print(
        f"Resolving {count:,} hosts in one process, a third each: exact, three labels below, no entry; median of {rounds}"
    )
    asked = {domains: (resolver(domains), hosts_for(domains, count)) for domains in DOMAINS}
    rates: dict[int, list[float]] = {domains: [] for domains in DOMAINS}
    for _ in range(rounds):
        for domains, question in asked.items():
            rates[domains].append(per_second(*question))
    medians = {domains: statistics.median(measured) for domains, measured in rates.items()}
    for domains, rate in medians.items():
        print(f"  {domains:6,} domains {rate:12,.0f} hosts/s   {rate / medians[DOMAINS[0]]:5.2f}x")
    return min(medians.values()) >= FLAT * medians[DOMAINS[0]]


def addresses(count: int, rounds: int) -> None:
    """Print addresses a second against 1 to 1,000 network keys; for information, as no app has many."""
    print(f"\nResolving {count // 10:,} addresses against network keys (no target)")
    hosts = [Host(f"10.{n >> 8 & 255}.{n & 255}.7") for n in range(count // 10)]
    for networks in DOMAINS[:-1]:
        asked = resolver(networks, networks=True)
        rate = statistics.median(per_second(asked, hosts) for _ in range(rounds))
        print(f"  {networks:6,} networks {rate:11,.0f} addresses/s")


class Authority:
    """A private root and intermediate, and a leaf for each host under them."""

    def __init__(self) -> None:
        """Make the keys once; leaves share theirs."""
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self._certificate("root", "root", self._root_key, self._root_key, ca=True)
        self.issuing = self._certificate("issuing", "root", self._key, self._root_key, ca=True)
        self._leaf_keys = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)

    def chain(self, host: str, *, is_rsa: bool) -> tuple[Certificate, ...]:
        """Give what a server of that name sends."""
        return (self._certificate(host, "issuing", self._leaf_keys[is_rsa], self._key, ca=False), self.issuing)

    def _certificate(
        self,
        subject: str,
        issuer: str,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        signer: ec.EllipticCurvePrivateKey,
        *,
        ca: bool,
    ) -> Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 30 * DAY)
            .not_valid_after(NOW + (1825 if ca else 60) * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return Certificate(builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER))


KINDS: tuple[tuple[str, tuple[TlsVersion, ...], tuple[str, ...]], ...] = (
    ("TLS 1.3", (TlsVersion.TLS_1_3, TlsVersion.TLS_1_2), ("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")),
    ("TLS 1.2", (TlsVersion.TLS_1_2,), ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)),
    ("static RSA", (TlsVersion.TLS_1_2,), ("TLS_RSA_WITH_AES_128_GCM_SHA256",)),
    ("TLS 1.0", (TlsVersion.TLS_1_0,), ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",)),
)  # fmt: skip
"""Servers by what they speak; of ten in a row seven speak TLS 1.3, and one each of the others."""


def answer(
    offer: Offer, versions: Sequence[TlsVersion], suites: Sequence[str], chain: tuple[Certificate, ...]
) -> Outcome:
    """Answer a hello as a server that chooses by its own order would."""
    for version in versions:
        for suite in suites:
            if version in offer.versions and suite in offer.cipher_suites and usable(suite, version):
                static = is_static_rsa(suite)
                return Negotiated(
                    version=version,
                    cipher_suite=suite,
                    group=None if static else "x25519",
                    signature_algorithm=None if static or version < TlsVersion.TLS_1_2 else "ecdsa_secp256r1_sha256",
                    extended_master_secret=None if is_tls_1_3_suite(suite) else True,
                    certificates=chain,
                )
    return Refused(Alert(40 if set(versions) & set(offer.versions) else 70))


def recording(count: int, authority: Authority) -> Recording:
    """Give what a look at so many servers would have brought home, one address each."""
    offers = decisive_offers(profiles())
    observations, references, resolutions = [], [], []
    for number in range(count):
        _, versions, suites = KINDS[max(0, number % 10 - 6)]
        endpoint = Endpoint(Host(f"server-{number}.example.net"), 443)
        address = Address(f"192.0.{number >> 8}.{number & 255}", 443)
        chain = authority.chain(endpoint.host, is_rsa=is_static_rsa(suites[0]))
        made: list[Experiment] = []
        while (offer := next_offer(offers, made)) is not None:
            made.append(Experiment(offer, answer(offer, versions, suites, chain)))
        observations.append(TlsObservation(endpoint, address, NOW, tuple(made)))
        references.append(Reference(endpoint, endpoint.host, None, "", Argument(), endpoint.host, "command-line"))
        resolutions.append(Resolution(endpoint.host, 443, Resolved((address,), "dns")))
    return Recording(
        extraction=Extraction(references=tuple(references)),
        resolutions=tuple(resolutions),
        observations=tuple(observations),
        installed_roots=(authority.root.der,),
        started_at=NOW,
        finished_at=NOW,
        quick=True,
    )


def unparsed(seen: Recording) -> Recording:
    """Give a recording as it is read from a file: no certificate has been parsed yet."""
    return replace(seen, observations=tuple(map(_unparsed, seen.observations)))


def _unparsed(observation: Observation) -> Observation:
    if not isinstance(observation, TlsObservation):
        return observation
    fresh: dict[bytes, Certificate] = {}
    experiments = []
    for experiment in observation.experiments:
        outcome = experiment.outcome
        if isinstance(outcome, Negotiated):
            chain = tuple(fresh.setdefault(c.der, Certificate(c.der)) for c in outcome.certificates)
            experiment = replace(experiment, outcome=replace(outcome, certificates=chain))
        experiments.append(experiment)
    return replace(observation, experiments=tuple(experiments))


def judging(count: int, rounds: int) -> bool:
    """Print recorded observations judged a second, for a tenth of them and all, as the newest iOS and as four."""
    print(f"\nJudging {count:,} recorded observations in one process; median of {rounds}")
    authority, trust = Authority(), apple_roots()
    rates: dict[tuple[int, tuple[str, ...]], float] = {}
    for size in (count // 10, count):
        seen = recording(size, authority)
        for ios in ((), ("all",)):
            measured = []
            for _ in range(rounds):
                read = unparsed(seen)
                started = time.process_time()
                result = conclude(read, trust=trust, ios=ios)
                measured.append(size / (time.process_time() - started))
            rates[size, ios] = statistics.median(measured)
            verdicts = sorted({str(e.verdict) for e in result.endpoints})
            title = f"{len(result.profiles)} {'profile' if len(result.profiles) == 1 else 'profiles'}"
            print(f"  {size:6,} as {title:10} {rates[size, ios]:9,.0f} observations/s   {', '.join(verdicts)}")
    return all(rates[count, ios] >= FLAT * rates[count // 10, ios] for ios in ((), ("all",)))


def main() -> int:
    """Run the parts; the exit code says whether each stayed flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--observations", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    flat = [resolving(options.hosts, options.rounds)]
    addresses(options.hosts, options.rounds)
    flat.append(judging(options.observations, options.rounds))
    print("\nflat as the input grows" if all(flat) else "\nnot flat as the input grows")
    return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
