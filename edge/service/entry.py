"""Where a child process begins: what it is to the kernel, then its first word, then the module that does the work."""

from __future__ import annotations

import fcntl
import gc
import importlib
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge.service import cradle
from edge.service.channel import Channel

logger = logging.getLogger(__name__)

_MOST_DESCRIPTORS = 253  # that the kernel passes on at once (unix(7), SCM_MAX_FD)
# proc(5): a thousandth of the machine's memory each; the service's own share is far below a fifth of any machine's.
_EARLIER, _LAST_SCORE = 200, 1000


def begin_early(*modules: str) -> None:
    """Begin processes for modules that will be needed, before anything else is done; see ``cradle``."""
    for module in modules:
        cradle.begin(module, enter)


def enter(module: str, descriptor: str, life_line: str) -> None:
    """Where a new process begins; ``inside.settle`` switches the collector on again."""
    gc.disable()
    _hold_on_to(int(life_line))
    _take_name(module)
    _go_first()
    main: Callable[[Channel], None] = importlib.import_module(module).main
    end = socket.socket(fileno=int(descriptor))
    word, descriptors, _, _ = socket.recv_fds(end, 1, _MOST_DESCRIPTORS)
    if word:  # else nobody needs us any more
        main(Channel(end, tuple(descriptors)))


def _take_name(module: str) -> None:
    """For ``ps`` and ``top``: what this process does."""
    try:
        Path("/proc/self/comm").write_text(f"edge-{module.rpartition('.')[2]}", encoding="ascii")
    except OSError:
        logger.debug("this process keeps its name")


def _hold_on_to(life_line: int) -> None:
    """Have the kernel kill this process when the parent is gone, even while native code holds Python's lock.

    The life line is the reading end of a pipe that nobody writes to: all that can ever happen to it is its end.
    """
    fcntl.fcntl(life_line, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life_line, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(life_line, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)


def _go_first() -> None:
    """When memory runs out, the kernel is to end a child, which is started again, before the service itself."""
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError):  # no kernel that has it, or a sandbox that hides it
        score.write_text(str(min(_LAST_SCORE, int(score.read_text(encoding="ascii")) + _EARLIER)), encoding="ascii")
