"""Systems that edge can't run on are told so in one line."""

from __future__ import annotations

import pytest

from edge.core.fitness import why_unfit


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_64_bit_system_with_a_new_python_is_fit(version: tuple[int, int]) -> None:
    assert why_unfit(version, 64) is None


@pytest.mark.parametrize("version", [(3, 9), (3, 10)])
def test_an_old_python_is_named_with_the_way_out(version: tuple[int, int]) -> None:
    reason = why_unfit(version, 64)

    assert reason is not None
    assert f"found {version[0]}.{version[1]}" in reason
    assert "64-bit Raspberry Pi OS" in reason


def test_a_32_bit_system_is_refused_whatever_its_python() -> None:
    reason = why_unfit((3, 13), 32)

    assert reason is not None
    assert "64-bit system" in reason
