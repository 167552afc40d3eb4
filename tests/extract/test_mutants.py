"""Every parser of the extraction on damaged input, and its seeds; ``make fuzz`` runs the long form."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsprobe.extract.readers import reader
from atsprobe.extract.sighting import HostSighting
from fuzz.mutation import mutant
from fuzz.parsers import MAX_SECONDS, parsers
from fuzz.seeds import seeds

MUTANTS = int(os.environ.get("ATSPROBE_MUTANTS", "300"))
"""How many to try of each parser."""

PARSERS = {parser.name: parser for parser in parsers()}


@pytest.mark.parametrize("row", reader.FORMATS, ids=lambda row: row.name)
def test_every_reader_has_seeds_that_it_recognises_and_finds_hosts_in(row):
    """A row of the table that nothing is damaged for, or whose seeds another row would read, is not fuzzed at all."""
    found = []
    for path, content in seeds()[row.name]:
        assert reader.format_of(path, content[:4096]) is row
        found += row.read(path, content)
    assert any(isinstance(s, HostSighting) for s in found)


@pytest.mark.parametrize("name", PARSERS)
def test_mutants_raise_nothing_and_cost_bounded_time(name):
    """Damaged files are read, or said to be unreadable; none raises, none takes the ten seconds that a file may cost."""
    parser, chance = PARSERS[name], random.Random(name)
    slowest = 0.0
    for number in range(MUTANTS):
        path, good = parser.seeds[number % len(parser.seeds)]
        content = mutant(good, chance)
        start = time.process_time()
        try:
            parser.run(path, content)
        except Exception as error:
            error.add_note(f"mutant {number} of {name}")
            raise
        slowest = max(slowest, time.process_time() - start)
    assert slowest < MAX_SECONDS


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=max(20, MUTANTS // 20), deadline=None)
@given(tail=st.binary(max_size=400), kept=st.integers(0, 600))
def test_mutated_ends_raise_nothing(name, tail, kept):
    """The beginning of a good file with anything behind it is read, or said to be unreadable."""
    path, good = PARSERS[name].seeds[0]
    PARSERS[name].run(path, good[:kept] + tail)
