"""What the YAML reader hands on: texts, lists and sections that know where they stand in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written. ``quoted`` texts are never read as numbers or switches. Lines count from 1."""

    text: str
    line: int
    column: int = 1
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Mapping:
    """A section: keys in the order of the file, each once."""

    entries: tuple[tuple[Scalar, Node], ...]
    line: int
    column: int = 1


Node: TypeAlias = Scalar | Sequence | Mapping
