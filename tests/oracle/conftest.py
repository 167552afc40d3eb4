"""One lab, and one audit of all of it, for every comparison with somebody else's eyes."""

from __future__ import annotations

import pytest
from more_servers import MORE_SERVERS

from atsprobe.lab.servers import SERVERS
from atsprobe.pipelines.audit import audit
from atsprobe.settings import Settings


@pytest.fixture(scope="session")
def oracle_lab(lab_of):
    """Bring up the servers of the truth table, and those that are of interest for scanners."""
    return lab_of((*SERVERS, *MORE_SERVERS))


@pytest.fixture(scope="session")
def audited(oracle_lab):
    """Audit that lab with full enumeration; patient with servers that are slow because the machine is busy."""
    settings = Settings(
        ca_files=(str(oracle_lab.ca_file),), resolve=oracle_lab.resolve, timeout=4, deadline=60, jobs=16
    )
    return audit(oracle_lab.targets, settings, names_are_given=True)
