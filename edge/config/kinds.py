"""Kinds of single values: what is expected, in words, and how it is read from the text as written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.config.nodes import Scalar
from edge.config.scalars import FALSE, PLAIN_NUMBER, TRUE, WHOLE_NUMBER, WrongValueError, number_trap, read_text
from edge.config.units import hint_for_range, hint_for_text
from edge.core.likeness import like


class Kind(Protocol):
    """Reads one single value."""

    @property
    def expected(self) -> str:
        """What belongs here: "a number of frames per second above 0"."""

    def read(self, scalar: Scalar) -> object:
        """The value; raises WrongValueError."""


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number. ``above`` excludes its bound, ``least`` and ``most`` include theirs."""

    expected: str
    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    whole: bool = False
    unit: str = ""

    def read(self, scalar: Scalar) -> float:
        text = scalar.text
        if scalar.quoted and PLAIN_NUMBER.fullmatch(text):
            raise WrongValueError(f"write {text} without quotes", found=f"the text {text!r}")
        trap = number_trap(text)
        if trap:
            raise WrongValueError(trap)
        if not PLAIN_NUMBER.fullmatch(text):
            raise WrongValueError(hint_for_text(text, self.unit))
        if self.whole and not WHOLE_NUMBER.fullmatch(text):
            raise WrongValueError("write a whole number")
        value = int(text) if self.whole else float(text)
        if not (self.least <= value <= self.most and value > self.above and math.isfinite(value)):
            raise WrongValueError(hint_for_range(value, self.unit))
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """A text that ``parse`` understands; ``parse`` raises WrongValueError with the way out."""

    expected: str
    parse: Callable[[str], object]

    def read(self, scalar: Scalar) -> object:
        # A bare 0 or 9750 is half of a source or an address: what to write is told before how YAML reads it.
        if not scalar.quoted and scalar.text.isdigit():
            self.parse(scalar.text)
        return self.parse(read_text(scalar))


@dataclass(frozen=True, slots=True)
class Switch:
    """true or false. YAML 1.1's yes, no, on and off mean the same everywhere and are taken."""

    expected: str = "true or false"

    def read(self, scalar: Scalar) -> bool:
        if scalar.quoted and (TRUE.fullmatch(scalar.text) or FALSE.fullmatch(scalar.text)):
            raise WrongValueError(f"write {scalar.text} without quotes")
        if TRUE.fullmatch(scalar.text):
            return True
        if FALSE.fullmatch(scalar.text):
            return False
        meant = {"y": "true", "1": "true", "enabled": "true", "n": "false", "0": "false", "disabled": "false"}
        word = meant.get(scalar.text.lower())
        raise WrongValueError(f"write {word}" if word else "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words or numbers."""

    options: tuple[str | int, ...]

    @property
    def expected(self) -> str:
        return f"one of {', '.join(str(option) for option in self.options)}"

    def read(self, scalar: Scalar) -> str | int:
        for option in self.options:
            if scalar.text == str(option):
                if scalar.quoted and isinstance(option, int):
                    raise WrongValueError(f"write {option} without quotes")
                return option
        number = re.match(r"\d{1,9}", scalar.text)
        words = [str(option) for option in self.options]
        if number and number[0] in words:
            raise WrongValueError(f"write {number[0]}")
        near = like(scalar.text.lower()[:60], words)
        raise WrongValueError(f"did you mean {near[0]}?" if near else "")


@dataclass(frozen=True, slots=True)
class Threads:
    """A number of threads, or the word auto."""

    expected: str = "a number of threads from 1 to 64, or auto"

    def read(self, scalar: Scalar) -> int | str:
        if scalar.text == "auto":
            return "auto"
        return int(Number(self.expected, least=1, most=64, whole=True).read(scalar))
