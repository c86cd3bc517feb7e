"""An error on its way from one process to another."""

from __future__ import annotations

import msgspec

from edge.core import errors
from edge.core.errors import EdgeError


class Trouble(msgspec.Struct, frozen=True):
    """kind : the error's class, by which it ends a command with the right exit code"""

    kind: str
    words: str

    def error(self) -> EdgeError:
        """As it was raised."""
        kind = getattr(errors, self.kind, EdgeError)
        is_ours = isinstance(kind, type) and issubclass(kind, EdgeError)
        return kind(self.words) if is_ours else EdgeError(self.words)


def trouble_of(error: EdgeError) -> Trouble:
    """What the other side has to know."""
    return Trouble(type(error).__name__, str(error))
