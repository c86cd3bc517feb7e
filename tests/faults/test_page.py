"""docs/faults.md names tests that exist."""

from __future__ import annotations

import re

from tests.flow.running import CHECKOUT

PAGE = (CHECKOUT / "docs" / "faults.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_test_that_the_page_names_exists() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in NAMED
        if not (CHECKOUT / file).exists() or f"def {name}(" not in (CHECKOUT / file).read_text("utf-8")
    ]

    assert missing == []


def test_every_fault_is_shown_by_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| fault ")]

    assert len(rows) > 20
    assert [row for row in rows if "`tests/" not in row] == []
