"""SIGHUP for the publisher's unit: what is to be published otherwise is left to the next process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from edge.config.load import load_config
from edge.core.clock import SystemClock
from edge.core.errors import EdgeError
from edge.service.letters import Setup
from edge.service.systemd import Notifier

logger = logging.getLogger(__name__)


class PublisherHangup:
    """systemd starts the next process at once, and that one reads the file itself."""

    def __init__(self, file: Path, duty: Notifier) -> None:
        self._file = file
        self._duty = duty
        self._is_asked = False
        self._setup: Setup | None = None
        self._read: Callable[[], Setup] | None = None
        self._leave: Callable[[], None] = lambda: None

    def begin(self, setup: Setup, read: Callable[[], Setup], leave: Callable[[], None]) -> None:
        """A detector has come.

        Parameters
        ----------
        setup : what is published by
        read : the same, of the file as it is
        """
        self._setup, self._read, self._leave = setup, read, leave

    def hear(self) -> None:
        """The signal; what has to be done is done by the next ``turn``."""
        self._is_asked = True

    def turn(self) -> None:
        """To be called every second or more often."""
        self._duty.alive()
        if self._is_asked:
            self._is_asked = False
            self._duty.reloading(SystemClock().monotonic_ns())
            self._duty.ready(self._take_up())

    def _take_up(self) -> str:
        """What came of it, in words."""
        try:
            load_config(self._file)
            fresh = self._setup if self._read is None else self._read()
        except EdgeError as error:
            for line in str(error).splitlines():
                logger.error("reload: %s", line)
            logger.error("reload: the configuration before stays in force")
            return f"reload refused, the configuration before stays in force: {str(error).splitlines()[0]}"
        if fresh == self._setup:
            logger.info("reload: nothing has changed")
            return "reloaded: nothing has changed"
        logger.info("reload: the next publisher has another configuration; leaving")
        self._leave()
        return "reloaded: connecting anew"
