"""One broker with the shipped profile for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.site import Site
from tests.brokers import has_mosquitto

_ADVICE = "install mosquitto, mosquitto-clients and openssl"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    needy = [item for item in items if here in item.path.parents]
    if not needy or (has_mosquitto() and shutil.which("openssl")):
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"{len(needy)} tests need a real broker: {_ADVICE}")
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if here not in item.path.parents]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.end()
