"""SQLite connections that fail when they are told to: a first-class fake of a bad disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge.report.outbox import database


class Faults:
    """What the next statements that begin with one of these words do."""

    def __init__(self) -> None:
        self._code = 0
        self._left = 0
        self._words: tuple[str, ...] = ()

    def set(self, code: int, count: int, words: tuple[str, ...] = ("COMMIT", "INSERT", "UPDATE", "DELETE")) -> None:
        self._code, self._left, self._words = code, count, words

    @property
    def left(self) -> int:
        return self._left

    def clear(self) -> None:
        self._left = 0

    def connect(self, path: Path) -> sqlite3.Connection:
        faults = self

        class Faulty(sqlite3.Connection):
            def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> sqlite3.Cursor:
                faults.meet(sql)
                return super().execute(sql, parameters)

        return database.connect(path, factory=Faulty)

    def meet(self, sql: str) -> None:
        if self._left and sql.startswith(self._words):
            self._left -= 1
            error = sqlite3.OperationalError(f"injected at {sql.split(maxsplit=1)[0]}")
            error.sqlite_errorcode = self._code
            raise error
