"""Every scenario of the table: recorded without a packet, concluded, and compared column by column."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import scenarios_of_many_hosts
import scenarios_of_one_host
from scenario import App
from scenario_checks import check_plist_and_exit, check_statuses, check_verdicts, concluded

from atsprobe.model.result import exit_code

TABLE = [*scenarios_of_one_host.ROWS, *scenarios_of_many_hosts.ROWS]
WAITING_ROWS: set[int] = set()
NO_LOOSE_HOST = {85}
"""Rows whose host would be contacted if it were named on the command line."""


@pytest.fixture(params=[False, True], ids=["quick", "enumerated"])
def enumerate_(request):
    """Whether the scan went on to find every suite and group, which must change nothing."""
    return request.param


@pytest.mark.parametrize("scenario", TABLE, ids=lambda s: s.title)
def test_verdicts(scenario, enumerate_):
    """V/D of every endpoint, its failing requirements, its smallest exception, and where http leads."""
    check_verdicts(scenario, concluded(scenario, enumerate_=enumerate_))


@pytest.mark.parametrize("scenario", TABLE, ids=lambda s: s.title)
def test_statuses(scenario, enumerate_):
    """The status of every declared key, whether it weighs in the exit code, and what must be said of it."""
    check_statuses(scenario, concluded(scenario, enumerate_=enumerate_))


@pytest.mark.parametrize("scenario", TABLE, ids=lambda s: s.title)
def test_smallest_dictionary_and_exit_code(scenario, enumerate_):
    """The smallest dictionary of every bundle, and what the whole means for a script."""
    check_plist_and_exit(scenario, concluded(scenario, enumerate_=enumerate_))


LOOSE = [
    replace(s, app=None, command_line=s.app.urls, variant=f"{s.variant}loose")
    for s in TABLE
    if isinstance(s.app, App) and s.app.ats is None and not s.app.misplaced and s.row not in NO_LOOSE_HOST
]


@pytest.mark.parametrize("scenario", LOOSE, ids=lambda s: s.title)
def test_a_loose_host_is_judged_under_the_empty_dictionary(scenario):
    """The rows without a dictionary hold as well where the host stands alone on the command line."""
    result = concluded(scenario)
    check_verdicts(scenario, result)
    assert exit_code(result) == scenario.exit


def test_no_row_is_forgotten():
    """All 105 rows are there, in order; those that wait are these and no more."""
    assert list(dict.fromkeys(s.row for s in TABLE)) == list(range(1, 106))
    assert {s.row for s in TABLE if s.waits} == WAITING_ROWS
    assert len({s.title for s in TABLE}) == len(TABLE)
    assert all(re.fullmatch(r"[\w.*:°-]+", s.title) for s in TABLE)
