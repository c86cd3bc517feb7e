"""What models answered to the golden picture when they were first trusted: kept beside the outbox."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from edge.core.kept_file import read_kept, write_kept
from edge.infer.golden import PICTURE, Golden

logger = logging.getLogger(__name__)

FILE = "golden.json"
_MOST = 8  # of models and runtimes; about 15 kB each


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: int = 1
    golden: dict[str, Golden] = {}


class GoldenBook:
    """By content, backend and runtime: any of them may round otherwise. What can't be kept is known until the end."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._golden: dict[str, Golden] = {}

    def open(self) -> None:
        """Read what is known; nothing, where the file is missing or broken."""
        try:
            kept = read_kept(self._file, _Kept)
        except (OSError, ValueError) as error:
            logger.warning("%s: expected numbers of self-tests, found something else (%s); ignored", self._file, error)
            return
        self._golden = dict(kept.golden) if kept is not None else {}

    def get(self, sha256: str, backend: str, runtime: str) -> Golden | None:
        return self._golden.get(_key(sha256, backend, runtime))

    def put(self, sha256: str, backend: str, runtime: str, golden: Golden) -> None:
        """Remember the first answer; a later one changes nothing, or a slow drift would never be seen."""
        key = _key(sha256, backend, runtime)
        if key in self._golden:
            return
        self._golden[key] = golden
        while len(self._golden) > _MOST:
            del self._golden[next(iter(self._golden))]
        try:
            write_kept(self._file, _Kept(golden=self._golden))
        except OSError as error:
            logger.warning("%s: what a self-test has to find can't be kept: %s", self._file, error)


def _key(sha256: str, backend: str, runtime: str) -> str:
    return f"{sha256} {backend} {runtime} picture {PICTURE}"
