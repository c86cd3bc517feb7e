"""The programs that make file systems: with CI=true a missing one fails, elsewhere these tests are left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_PROGRAMS = {"mcopy": "mtools", "mkfs.vfat": "dosfstools", "mke2fs": "e2fsprogs", "sfdisk": "fdisk"}
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent / "test_filesystems.py"
    needy = [item for item in items if item.path == here]
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program, path=_PATH) is None]
    if not needy or not missing:
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"{len(needy)} tests make file systems: install {' '.join(missing)}")
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if item.path != here]
