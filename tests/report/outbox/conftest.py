from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.report.outbox.device import Device


@pytest.fixture
def new_device(tmp_path: Path) -> Iterator[Callable[..., Device]]:
    """Makes devices, each on a disk of its own, and stops them afterwards."""
    made: list[Device] = []

    def make(**facts: object) -> Device:
        made.append(Device(tmp_path / str(len(made)), **facts))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for device in made:
        device.stop()


@pytest.fixture
def device(new_device: Callable[..., Device]) -> Device:
    return new_device()
