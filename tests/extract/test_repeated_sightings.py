"""A host that an app names very often: some places are told, the others counted."""

from __future__ import annotations

from atsprobe.extract.extract import extract
from atsprobe.json_v1 import hosts as document
from atsprobe.model.endpoint import Confidence
from atsprobe.pipelines.hosts import hosts
from atsprobe.pipelines.plan import split_by_confidence


def test_the_rest_is_counted(tmp_path):
    """Of 50 mentions in each of three files 60 are told one by one, 20 of them in the document, and all are counted."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.json").write_text('["https://api.example.org/x"]\n' * 50)
    result = hosts([str(tmp_path)])
    assert len(result.extraction.references) == 60
    (row,) = document.encode(result)["hosts"]
    assert (row["sightings"], len(row["references"]), row["confidence"]) == (150, 20, "B")


def test_what_is_sure_enough_to_audit(tmp_path):
    """By the class asked for; a URL that is left out may be loaded all the same, so what covers it is not seen in full."""
    (tmp_path / "a.json").write_text('["https://api.example.org/x"]')
    extraction = extract([str(tmp_path), "https://named.example.org"])
    for least, hosts_kept, left in (("A", ["named.example.org"], ("api.example.org",)), ("B", None, ())):
        kept, not_audited = split_by_confidence(extraction, Confidence(least))
        assert not_audited == left
        assert hosts_kept is None or [r.endpoint.host for r in kept.references] == hosts_kept
