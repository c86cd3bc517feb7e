"""Which of some words was meant, where one was written that is none of them."""

from __future__ import annotations

from collections.abc import Iterable


def like(word: str, known: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> list[str]:
    """The words most like it, the likest first; none where nothing is like it by ``cutoff`` (0..1)."""
    import difflib  # for mistakes alone: it takes some milliseconds of each process's start

    return difflib.get_close_matches(word, list(known), n=count, cutoff=cutoff)
