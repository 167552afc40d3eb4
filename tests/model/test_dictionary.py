"""NSAppTransportSecurity as declared survives reading and writing, whatever its values are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry

AL, LN = "NSAllowsArbitraryLoads", "NSAllowsLocalNetworking"
HTTP, PFS = "NSExceptionAllowsInsecureHTTPLoads", "NSExceptionRequiresForwardSecrecy"
SUB, MIN = "NSIncludesSubdomains", "NSExceptionMinimumTLSVersion"
GLOBALS = (
    AL,
    LN,
    "NSAllowsArbitraryLoadsForMedia",
    "NSAllowsArbitraryLoadsInWebContent",
    "NSPinnedDomains",
    "Misspelt",
)
KEYS = (HTTP, PFS, SUB, MIN, "NSRequiresCertificateTransparency", "NSTemporaryExceptionAllowsInsecureHTTPLoads")

values = st.one_of(
    st.booleans(), st.integers(-2, 3), st.sampled_from(["YES", "TLSv1.0"]), st.floats(0, 2), st.binary(max_size=3)
)
entries = st.dictionaries(st.sampled_from(KEYS), values, max_size=4)
declared = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(GLOBALS, values),
        "NSExceptionDomains": st.dictionaries(
            st.sampled_from(["example.com", "EXAMPLE.com", "10.0.0.0/8", ""]), st.one_of(entries, values), min_size=1
        ),
    },
)


@given(declared)
def test_every_value_survives(plist):
    """Whatever stands there, of whatever type, is given back as it was."""
    assert AtsDictionary.from_plist(plist).to_plist() == (plist or None)


@given(st.one_of(values, st.just(())))
def test_what_is_no_dictionary_survives_too(value):
    """Neither a wrong NSAppTransportSecurity nor a wrong NSExceptionDomains is lost or read as something."""
    whole = AtsDictionary.from_plist(value)
    assert (whole.to_plist(), whole.entries) == (value, {})
    assert DeclaredKey(None, "NSAppTransportSecurity", value) in whole.declared_keys()
    domains = AtsDictionary.from_plist({AL: True, "NSExceptionDomains": value})
    assert (domains.to_plist(), domains.entries) == ({AL: True, "NSExceptionDomains": value}, {})
    assert DeclaredKey(None, "NSExceptionDomains", value) in domains.declared_keys()


@given(declared)
def test_every_declared_key_is_listed_once(plist):
    """A status is due for each global key, and for each key of each entry (or the entry, when it has none)."""
    keys = AtsDictionary.from_plist(plist).declared_keys()
    wanted = {(None, k) for k in plist if k != "NSExceptionDomains"}
    for domain, entry in plist.get("NSExceptionDomains", {}).items():
        wanted |= {(domain, k) for k in entry} or {(domain, None)} if isinstance(entry, dict) else {(domain, None)}
    assert {(k.domain, k.key) for k in keys} == wanted
    assert len(keys) == len(wanted)


@given(declared)
def test_taking_every_key_away_leaves_nothing_declared(plist):
    """`without` takes exactly the named key; entries whose keys are all gone stay as empty entries until taken too."""
    dictionary = AtsDictionary.from_plist(plist)
    for key in dictionary.declared_keys():
        if key.key is not None:
            less = dictionary.without(key.domain, key.key)
            left = {(k.domain, k.key) for k in less.declared_keys()} - {(key.domain, None)}
            before = {(k.domain, k.key) for k in dictionary.declared_keys()}
            assert left == before - {(key.domain, key.key), (key.domain, None)}
            dictionary = less
    for domain in dict(dictionary.exception_domains):
        dictionary = dictionary.without_domain(domain)
    assert dictionary.to_plist() is None


def test_an_entry_is_set_in_its_place_or_last():
    """`with_exception` keeps the order of the domains, and `with_key` the other keys."""
    dictionary = AtsDictionary.from_plist({"NSExceptionDomains": {"a": {HTTP: True}, "b": {}}})
    changed = dictionary.with_exception("a", dictionary.entries["a"].with_key(PFS, False))
    assert [name for name, _ in changed.exception_domains] == ["a", "b"]
    assert changed.entries["a"].to_plist() == {HTTP: True, PFS: False}
    added = changed.with_exception("c", ExceptionEntry(requires_forward_secrecy=False))
    assert [name for name, _ in added.exception_domains] == ["a", "b", "c"]
    assert dictionary.entries["a"].to_plist() == {HTTP: True}


def test_misplaced_keys_are_listed_and_not_read():
    """An ATS key at the top of the Info.plist is declared, without effect and not part of NSAppTransportSecurity."""
    dictionary = AtsDictionary.from_plist(None, {AL: True})
    assert dictionary.declared_keys() == (DeclaredKey(None, AL, True, misplaced=True),)
    assert (dictionary.allows_arbitrary_loads, dictionary.to_plist()) == (None, None)
