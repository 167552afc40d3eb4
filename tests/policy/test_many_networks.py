"""Dictionaries of many networks: the longest prefix is looked up, not searched for."""

from __future__ import annotations

import ipaddress
import random

from hypothesis import given
from hypothesis import strategies as st

from atsprobe.ats.exception_match import ExceptionIndex, network_of
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Host

NETWORKS = st.builds("{}.{}.0.0/{}".format, st.integers(9, 11), st.integers(0, 3), st.integers(0, 32)) | st.builds(
    "fd00:{:x}::/{}".format, st.integers(0, 3), st.integers(0, 128)
)
ADDRESSES = st.builds("{}.{}.0.{}".format, st.integers(9, 11), st.integers(0, 3), st.integers(0, 2)) | st.builds(
    "fd00:{:x}::{:x}".format, st.integers(1, 3), st.integers(1, 3)
)


def _index(keys):
    return ExceptionIndex(AtsDictionary.from_plist({"NSExceptionDomains": {key: {} for key in keys}}))


@given(st.lists(NETWORKS, max_size=8), ADDRESSES)
def test_the_longest_prefix_that_covers_an_address_decides(keys, address):
    """A slow reading of the rule gives the same: longest prefix, the last of equal ones, IPv4 and IPv6 apart."""
    ip = ipaddress.ip_address(address)
    covering = [(network_of(k).prefixlen, n, k) for n, k in enumerate(dict.fromkeys(keys)) if ip in network_of(k)]
    match = _index(keys).match(Host(str(ip)))
    assert (match.key if match else None) == (max(covering)[2] if covering else None)


def test_a_thousand_times_the_networks_are_no_more_work():
    """Each length of prefix is one look, however many networks have it."""
    few, many = _index(["10.0.0.0/24"]), _index(f"10.{n >> 8}.{n & 255}.0/24" for n in range(1000))
    assert len(many._prefixes) == len(few._prefixes) == 1
    rng = random.Random(7)
    for _ in range(50):
        third = rng.randrange(256)
        match = many.match(Host(f"10.2.{third}.9"))
        assert match is not None and match.key == f"10.2.{third}.0/24"
