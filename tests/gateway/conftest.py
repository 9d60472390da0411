"""Gateways for the tests: one for each module that shares it, and more of them for a test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.served import Served


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One whose workers do as the prompt says."""
    served = Served(tmp_path_factory.mktemp("gateway"))
    yield served
    served.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts gateways of a test's own."""
    started: list[Served] = []

    def start(*arguments: Any, **options: Any) -> Served:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Served(folder, *arguments, **options))
        return started[-1]

    yield start
    for served in started:
        served.stop()
