"""A saved audit judged again: from the text of its document, the same answer."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from random_worlds import TRUST, worlds

from atsprobe.json_v1 import audit
from atsprobe.json_v1.schema import schema
from atsprobe.json_v1.text import dumps, loads
from atsprobe.weigh.conclude import conclude

SCHEMA = Draft202012Validator(schema("audit"))


@given(worlds(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_saved_audit_judged_again_says_the_same(world, enumerate_) -> None:
    """Verdicts, statuses, notices and numbers come out to the letter as they were saved, and keep the schema."""
    saved = dumps(audit.encode(world.result(enumerate_=enumerate_)))
    document = loads(saved)
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    assert dumps(audit.encode(conclude(audit.decode(document), trust=TRUST))) == saved
