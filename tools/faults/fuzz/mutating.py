"""Bends good inputs: bits, bytes, numbers, pieces, words, and two inputs in one."""

from __future__ import annotations

import random
from collections.abc import Sequence

_NUMBERS = [
    *(value.to_bytes(1, "little") for value in (0, 1, 0x7F, 0x80, 0xFF)),
    *(value.to_bytes(2, order) for value in (0, 0x7FFF, 0x8000, 0xFFFF) for order in ("little", "big")),
    *(value.to_bytes(4, order) for value in (0, 1, 0x7FFFFFFF, 1 << 31, 0xFFFFFFFF) for order in ("little", "big")),
    *(value.to_bytes(8, order) for value in (0, (1 << 63) - 1, 1 << 63, (1 << 64) - 1) for order in ("little", "big")),
]
_MOST_STEPS = 6


class Mutator:
    """The same seed gives the same inputs."""

    def __init__(self, seed: int, corpus: Sequence[bytes], words: Sequence[bytes], most_bytes: int = 1 << 16) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._corpus = list(corpus)
        self._words = list(words)
        self._most_bytes = most_bytes
        self._ways = [self._flip, self._overwrite, self._number, self._drop, self._double, self._cut, self._noise]
        self._ways += [self._word] * (2 if self._words else 0) + ([self._splice] if len(self._corpus) > 1 else [])

    def next(self) -> bytes:
        """The next input."""
        chance = self._random
        content = bytearray(chance.choice(self._corpus))
        for _ in range(min(_MOST_STEPS, 1 + int(chance.expovariate(0.7)))):
            content = chance.choice(self._ways)(content)
        return bytes(content[: self._most_bytes])

    def _place(self, content: bytearray) -> int:
        return self._random.randrange(len(content) + 1)

    def _flip(self, content: bytearray) -> bytearray:
        if content:
            content[self._random.randrange(len(content))] ^= 1 << self._random.randrange(8)
        return content

    def _overwrite(self, content: bytearray) -> bytearray:
        if content:
            content[self._random.randrange(len(content))] = self._random.randrange(256)
        return content

    def _number(self, content: bytearray) -> bytearray:
        number, at = self._random.choice(_NUMBERS), self._place(content)
        content[at : at + len(number)] = number
        return content

    def _drop(self, content: bytearray) -> bytearray:
        at = self._place(content)
        del content[at : at + self._length()]
        return content

    def _double(self, content: bytearray) -> bytearray:
        at = self._place(content)
        piece = content[at : at + self._length()]
        content[at:at] = piece * self._random.choice((1, 1, 2, 50))
        return content

    def _cut(self, content: bytearray) -> bytearray:
        return content[: self._place(content)]

    def _noise(self, content: bytearray) -> bytearray:
        at = self._place(content)
        content[at:at] = self._random.randbytes(self._length())
        return content

    def _word(self, content: bytearray) -> bytearray:
        at = self._place(content)
        content[at : at + self._random.choice((0, 0, 1, 4))] = self._random.choice(self._words)
        return content

    def _splice(self, content: bytearray) -> bytearray:
        other = self._random.choice(self._corpus)
        at = self._random.randrange(len(other) + 1)
        return content[: self._place(content)] + other[at:]

    def _length(self) -> int:
        return self._random.choice((1, 2, 4, 8, self._random.randrange(1, 64)))
