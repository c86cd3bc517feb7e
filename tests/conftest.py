"""What every test may ask for. Tests over the shared data are extra: left out without the folder, never in CI."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A loaded machine is slow now and then; hypothesis would call that a failure.
settings.register_profile("edge", deadline=None)
settings.load_profile("edge")

# A shell starts what runs behind it deaf to interrupts, and so would be every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(os.environ.get("EDGE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SHARED.is_dir():
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"the test data is missing: expected the folder {SHARED} (set EDGE_TEST_DATA)")
    extra = [item for item in items if item.get_closest_marker("shared")]
    config.hook.pytest_deselected(items=extra)
    items[:] = [item for item in items if not item.get_closest_marker("shared")]


def pytest_report_header() -> str:
    return f"shared test data: {'found' if SHARED.is_dir() else 'not here, its tests are left out'}"


@pytest.fixture(scope="session", autouse=True)
def _state_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test finds what another, or the person at this desk, has left undelivered, or found out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", str(tmp_path_factory.mktemp("state")))
        patch.setenv("CACHE_DIRECTORY", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real models, pictures and clips."""
    return SHARED


@pytest.fixture(autouse=True)
def _logging_speaks() -> Iterator[None]:
    """A tool that was asked to be quiet in one test must not silence the next."""
    yield
    logging.disable(logging.NOTSET)
