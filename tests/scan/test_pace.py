"""Deadlines hold, a stop cuts them short, and addresses are not crowded."""

from __future__ import annotations

import threading
import time

import pytest

from atsprobe.model.observation import Address
from atsprobe.scan.pace import Deadline, DeadlinePassed, Interrupted, Pace

ADDRESS = Address("192.0.2.1", 443)


def test_a_sleep_longer_than_the_time_left_fails_at_once():
    """Nobody waits for a moment that lies beyond the deadline."""
    began = time.monotonic()
    with pytest.raises(DeadlinePassed):
        Deadline.after(5).sleep(60)
    assert time.monotonic() - began < 1


def test_a_stop_ends_a_sleep():
    """A stop set by another thread wakes what waits."""
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Interrupted):
        Deadline.after(30, stop).sleep(20)
    assert Deadline.after(30, stop).is_over


def test_within_never_extends():
    """The time for one answer ends with the time for the address."""
    whole = Deadline.after(1)
    assert whole.within(60).at == whole.at
    assert whole.within(0.5).at < whole.at


def test_one_turn_at_a_time_for_an_address():
    """Two turns at one address never overlap; another address does not wait."""
    pace = Pace()
    deadline = pace.deadline(5)
    with pace.turn(ADDRESS, None, deadline):
        with pace.turn(Address("192.0.2.1", 80), None, deadline):
            pass
        with pytest.raises(DeadlinePassed), pace.turn(ADDRESS, None, deadline.within(0.05)):
            pass
    with pace.turn(ADDRESS, None, deadline):
        pass


def test_the_rate_spaces_connections_to_one_ip():
    """Whatever the port, connections to an IP come no faster than the rate; the first does not wait."""
    pace = Pace()
    began = time.monotonic()
    for port in (443, 80, 8443):
        with pace.turn(Address("192.0.2.1", port), 20.0, pace.deadline(5)):
            pass
    assert time.monotonic() - began >= 2 / 20


def test_a_rate_that_the_deadline_does_not_allow_is_said_at_once():
    """A token that is due too late is not waited for."""
    pace = Pace()
    with pace.turn(ADDRESS, 0.01, pace.deadline(1)):
        pass
    with pytest.raises(DeadlinePassed), pace.turn(ADDRESS, 0.01, pace.deadline(1)):
        pass
    with pytest.raises(DeadlinePassed), pace.turn(ADDRESS, None, pace.deadline(0)):
        pass
