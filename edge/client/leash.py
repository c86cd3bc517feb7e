"""A command on a leash: it ends, with all it has started, when this process does, however that happens."""

from __future__ import annotations

import fcntl
import os
import signal


class Leash:
    """One end is held here, the other by the command, which inherits it without knowing of it.

    The command's end is the reading end of a pipe that nobody writes to: all that can ever happen to it is its end,
    and then the kernel kills the process group it belongs to (fcntl(2): F_SETOWN, F_SETSIG). What has left the group,
    as a daemon does, or has closed the descriptor and lost its parent, is not reached.

    Raises
    ------
    OSError
        No descriptor is left.
    """

    def __init__(self) -> None:
        self._theirs, self._ours = os.pipe2(os.O_CLOEXEC)

    def __enter__(self) -> Leash:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go: what the command has left running on purpose may go on."""
        fcntl.fcntl(self._theirs, fcntl.F_SETFL, os.O_NONBLOCK)
        os.close(self._theirs)
        os.close(self._ours)

    @property
    def end(self) -> int:
        """What the command has to inherit."""
        return self._theirs

    def tie(self, group: int) -> None:
        """From now on this process group ends with us."""
        fcntl.fcntl(self._theirs, fcntl.F_SETOWN, -group)
        fcntl.fcntl(self._theirs, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(self._theirs, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
