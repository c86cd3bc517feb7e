from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.report.outbox.device import Device
from tools.faults.outbox_histories import MEMORY


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder; in memory where there is some, for every commit is synced."""
    made = Path(tempfile.mkdtemp(prefix="edge-test-", dir=MEMORY if MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def new_device(folder: Path) -> Iterator[Callable[..., Device]]:
    """Makes devices, each on a disk of its own, and stops them afterwards."""
    made: list[Device] = []

    def make(**facts: object) -> Device:
        made.append(Device(folder / str(len(made)), **facts))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for device in made:
        device.stop()


@pytest.fixture
def device(new_device: Callable[..., Device]) -> Device:
    return new_device()
