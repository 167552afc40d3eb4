"""Names that ``--resolve`` gives for one port."""

from __future__ import annotations

import plistlib

import pytest

from atsprobe.pipelines.audit import audit
from atsprobe.settings import Settings


@pytest.mark.parametrize(("resolve", "is_told"), [((), True), (("gone.example.net:1:127.0.0.1",), False)])
def test_a_domain_that_is_given_for_one_port_is_not_said_to_be_gone(tmp_path, resolve, is_told):
    """What DNS says of another port of that name is no news of the domain; without any address it is."""
    plist = tmp_path / "Info.plist"
    entry = {"NSExceptionRequiresForwardSecrecy": False}
    plist.write_bytes(plistlib.dumps({"NSAppTransportSecurity": {"NSExceptionDomains": {"gone.example.net": entry}}}))
    settings = Settings(resolve=resolve, timeout=1, deadline=2)
    result = audit([str(plist), "gone.example.net:1"], settings, names_are_given=True)
    assert ("declared-domain-does-not-exist" in {n.kind for n in result.notices}) is is_told
