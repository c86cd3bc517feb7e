"""Which model a person chose by ``edge models use``, and how to go back: kept beside the outbox."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.core.errors import ModelError
from edge.core.kept_file import read_kept, write_kept

FILE = "model-choice.json"
_MOST_REMEMBERED = 10


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Models are named by a card's name or a path; None = what the configuration says.

    configured : what that was at the time; when it says something else, the choice is over
    before : what was in force earlier, newest first
    """

    schema: int
    configured: str
    now: str | None
    before: tuple[str | None, ...] = ()


class ModelChoice:
    """The choice in one state folder. It holds until the configuration's ``model`` is changed."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    @property
    def file(self) -> Path:
        return self._file

    def in_force(self, configured: str) -> str | None:
        """What was chosen instead of the configuration's model; None = nothing was.

        Raises
        ------
        ModelError
            When the file can't be read: running another model than the one chosen must not happen in silence.
        """
        kept = self._read()
        return kept.now if kept is not None and kept.configured == configured else None

    def use(self, model: str, configured: str) -> None:
        """From the next start on. Raises OSError when it can't be kept."""
        kept = self._read()
        before = (None,) if kept is None or kept.configured != configured else (kept.now, *kept.before)
        write_kept(self._file, _Kept(1, configured, model, before[:_MOST_REMEMBERED]))

    def roll_back(self, configured: str) -> str:
        """What was in force before is again, from the next start on; says what that is.

        Raises
        ------
        ModelError
            When nothing was chosen, so that there is no way back.
        OSError
            When it can't be kept.
        """
        kept = self._read()
        if kept is None or kept.configured != configured or not kept.before:
            raise ModelError(
                f"there is nothing to go back to: the configuration's model ({configured}) is in force, and no other "
                "was chosen (edge models use NAME)"
            )
        now, *before = kept.before
        write_kept(self._file, _Kept(1, configured, now, tuple(before)))
        return configured if now is None else now

    def _read(self) -> _Kept | None:
        try:
            return read_kept(self._file, _Kept)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{self._file}: expected the choice of a model, found something else ({error}); delete the file to "
                "run the configuration's model, and choose again (edge models use NAME)"
            ) from error
