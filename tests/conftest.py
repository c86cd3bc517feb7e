import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("EDGE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared")


def pytest_collection_modifyitems(config, items):
    if SHARED.is_dir():
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"the test data is missing: expected the folder {SHARED} (set EDGE_TEST_DATA)")
    chosen = [i for i in items if not i.get_closest_marker("shared")]
    config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("shared")])
    items[:] = chosen


@pytest.fixture(scope="session")
def shared() -> Path:
    return SHARED
