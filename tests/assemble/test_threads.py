"""How many threads the model gets where nobody says."""

from __future__ import annotations

import os

import pytest

from edge.assemble.threads import choose_threads, has_spare_core


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (3, 2), (4, 3), (16, 15)])
def test_auto_leaves_a_core_to_the_rest_where_there_are_three(
    cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))

    assert choose_threads("auto") == threads
    assert has_spare_core(threads) == (cores > 2)


def test_what_is_asked_for_is_taken() -> None:
    assert choose_threads(7) == 7
