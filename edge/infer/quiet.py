"""Keeps the runtime's own chatter off standard error: its native code writes there, past Python's logging."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

_CHATTER = ("INFO:", "VERBOSE:")
_STDERR = 2


@contextmanager
def quiet_runtime() -> Iterator[None]:
    """Inside, native INFO lines go to the log at DEBUG; all other lines reach standard error a moment later.

    For loading alone: file descriptor 2 is exchanged for the whole process meanwhile.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # no standard error at all: nothing to keep clean
        yield
        return
    with tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            caught.seek(0)
            _pass_on(caught.read().decode(errors="replace"))


def _pass_on(text: str) -> None:
    for line in text.splitlines(keepends=True):
        if line.startswith(_CHATTER):
            logger.debug("%s", line.strip())
        else:
            sys.stderr.write(line)
