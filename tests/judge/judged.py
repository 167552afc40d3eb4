"""Short ways to ask the judge about a chain or a server in these tests."""

from __future__ import annotations

from dataclasses import replace

from certificate_maker import HOST, NOW

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import ios_profiles
from atsprobe.judge.certificates import chain_outcome
from atsprobe.judge.judge import judge_chain
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Host
from atsprobe.model.policy import Client
from atsprobe.model.trust_store import TrustStore

IOS26 = next(p for p in ios_profiles() if p.name == "ios26")


def policy(host=HOST, plist=None, *, sdk="26.0", profile=IOS26, **changes):
    """Give the policy of a dictionary for a host, with fields changed by hand."""
    dictionary = AtsDictionary.from_plist(plist or {})
    return replace(PolicyResolver(Client(profile, sdk), dictionary).policy(Host(host)), **changes)


def trusting(*, public=(), installed=()):
    """Give a store of the roots of Makes."""
    return TrustStore(tuple(m.certificate.der for m in public), tuple(m.certificate.der for m in installed))


def findings(chain, trust, *, host=HOST, at=NOW, staple=None, **of_policy):
    """Judge a chain: requirement id to finding."""
    found = judge_chain(chain, Host(host), policy(host, **of_policy), trust, at, ocsp_response=staple)
    return {str(f.requirement): f for f in found}


def failing(found):
    """Give the ids of what fails, in order."""
    return [name for name, finding in found.items() if finding.status == "fail"]


def outcome(found):
    """Say what the findings come to."""
    return chain_outcome(found.values())
