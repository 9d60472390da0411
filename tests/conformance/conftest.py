"""What the tests of the kit share."""

from collections.abc import Iterator

import pytest

from tests.conformance.forked import Forking


@pytest.fixture(scope="session")
def forking() -> Iterator[Forking]:
    """Starts the reference worker and the broken ones."""
    forking = Forking()
    yield forking
    forking.close()
