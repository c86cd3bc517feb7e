"""What is wrong in a configuration, each with its place; reported together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.errors import ConfigError
from edge.core.names import is_name

if TYPE_CHECKING:
    from edge.config.values import Config

_SHOWN = 60  # characters of a found text; more hides the message behind the mistake
_TOLD_SECRET = re.compile(r"(?is)(pass\w{0,10}|pwd|secret|token)[\s:=].*")
MAX_PROBLEMS = 50  # in one report; a file with more has one cause, and explaining each takes time


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``key`` is the path of keys, empty for the file as a whole; ``line`` counts from 1."""

    key: str
    message: str
    line: int | None = None

    def sentence(self, file: str) -> str:
        """``edge.yaml:12: cameras.yard.fps: expected ...``"""
        place = file if self.line is None else f"{file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class BadConfigError(ConfigError):
    """A configuration file with mistakes; its text has one line for each.

    rest : what could be read of it, with defaults for the rest, for who looks for further mistakes; None = too little
    """

    def __init__(self, file: str, problems: Iterable[Problem], rest: Config | None = None) -> None:
        self.file = file
        self.rest = rest
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        sentences = [problem.sentence(file) for problem in self.problems[:MAX_PROBLEMS]]
        if len(self.problems) >= MAX_PROBLEMS:
            sentences.append(f"{file}: there may be more; mend these first")
        super().__init__("\n".join(sentences))


def join_key(parent: str, name: str) -> str:
    """``cameras`` and ``yard`` -> ``cameras.yard``; what is not a plain name stands in quotes."""
    shown = name if is_name(name) else shown_text(name)
    return f"{parent}.{shown}" if parent else shown


def shown_text(text: str) -> str:
    """A found text for a message: one line, short, quoted, and without what may be a login.

    An address keeps only its scheme: cameras carry passwords before the ``@``, but also in the path and query.
    A line such as ``password hunter2``, with its colon forgotten, keeps the first word.
    """
    text = _TOLD_SECRET.sub(r"\1...", text)
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://", text)
    if scheme:
        text = f"{scheme[0]}..."
    elif "@" in text:
        text = f"...@{text.rsplit('@', 1)[1]}"
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
