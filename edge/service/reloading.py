"""Another configuration while the service runs: made ready beside the cameras, put in force between two frames.

| step | thread | the configuration before |
|---|---|---|
| reading, checking, comparing | one of its own | runs |
| trying another model, where there is one | the service's, turn by turn | runs |
| putting it in force | the service's, between two frames | until then |

What fails in the first two steps leaves everything as it was, and is said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.service.aside import do_aside
from edge.service.systemd import Notifier

logger = logging.getLogger(__name__)

REFUSED = "configuration_refused"
_LONGEST_S = 75.0  # systemd takes a reload for failed after 90 s
_SHOWN = 300


class Change(Protocol):
    """A configuration that was read and found good. All methods are called by the thread of the service."""

    @property
    def summary(self) -> str:
        """What becomes another, for the log and systemd."""

    def begin(self) -> None:
        """Try what has to be tried."""

    def is_ready(self) -> bool:
        """Whether it can be put in force now. Raises EdgeError when it never can."""

    def put_in_force(self) -> None: ...

    def abandon(self) -> None:
        """Undo what was begun."""


class Reloading:
    """An errand of the service. ``ask`` may be called by a signal handler.

    refused : why the file as it is now is not in force, one mistake a line; None = it is
    """

    def __init__(self, prepare: Callable[[], Change], notifier: Notifier, clock: Clock) -> None:
        """
        Parameters
        ----------
        prepare : reads and checks the file, in a thread of its own; raises EdgeError
        """
        self._prepare = prepare
        self._notifier = notifier
        self._clock = clock
        self._is_asked = False
        self._is_preparing = False
        self._prepared: Change | EdgeError | None = None
        self._change: Change | None = None
        self._until_ns = 0
        self.refused: str | None = None
        self.describe: Callable[[], list[Message]] = list

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes for health."""
        return () if self.refused is None else (REFUSED,)

    @property
    def is_busy(self) -> bool:
        """Whether another configuration is being put in force, or will be at the next step."""
        return self._change is not None or self._prepared is not None

    def ask(self) -> None:
        """Read the file again, soon; once more if it is being read just now."""
        self._is_asked = True

    def open(self) -> list[Message]:
        """Nothing to say."""
        return []

    def due(self) -> list[Message]:
        """The next step, if there is one; what is to be told when all is done."""
        try:
            if self._change is not None:
                return self._go_on(self._change)
            if self._prepared is not None:
                self._take_up()
            elif self._is_asked and not self._is_preparing:
                self._start()
        except EdgeError as error:
            return self._refuse(error)
        return []

    def _start(self) -> None:
        self._is_asked, self._is_preparing = False, True
        self._notifier.reloading(self._clock.monotonic_ns())
        do_aside(self._read, name="reload")

    def _read(self) -> None:
        """In a thread of its own."""
        try:
            self._prepared = self._prepare()
        except EdgeError as error:
            self._prepared = error
        except Exception as error:  # a fault of ours must not end a service that runs
            logger.exception("reload: unexpected fault")
            self._prepared = EdgeError(f"unexpected fault: {error!r}; the journal has the details")

    def _take_up(self) -> None:
        prepared, self._prepared, self._is_preparing = self._prepared, None, False
        if isinstance(prepared, EdgeError):
            raise prepared
        assert prepared is not None
        self._change, self._until_ns = prepared, self._clock.monotonic_ns() + round(_LONGEST_S * 1e9)
        prepared.begin()

    def _go_on(self, change: Change) -> list[Message]:
        if not change.is_ready():
            if self._clock.monotonic_ns() >= self._until_ns:
                raise EdgeError(f"the model did not run within {_LONGEST_S:.0f} s")
            return []
        self._change, self.refused = None, None
        change.put_in_force()
        logger.info("reload: %s", change.summary)
        self._notifier.ready(f"reloaded: {change.summary}")
        return self.describe()

    def _refuse(self, error: EdgeError) -> list[Message]:
        if self._change is not None:
            self._change.abandon()
            self._change = None
        self.refused = str(error)
        for line in str(error).splitlines():
            logger.error("reload: %s", line)
        logger.error("reload: the configuration before stays in force")
        first = self.refused.partition("\n")[0]
        self._notifier.ready(f"reload refused, the configuration before stays in force: {first[:_SHOWN]}")
        return self.describe()
