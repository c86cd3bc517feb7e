"""The second file, in memory that outlives the process (a tmpfs such as /run): for when the disk fails.

The same store as on the disk, so that the publisher reads both alike; what is in it survives a kill, not a power cut.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from edge.core.protocols import Clock
from edge.report.outbox.salvage import remove_files
from edge.report.outbox.store import Store
from edge.report.outbox.trouble import OutboxDamagedError, OutboxError
from edge.report.outbox.values import Entry, Loss, Policy

logger = logging.getLogger(__name__)


class Shelter:
    """Opened when it is first needed, gone when it is empty. Without a path it takes nothing."""

    def __init__(self, path: Path | None, *, policy: Policy, clock: Clock) -> None:
        self.exists = path is not None
        self._path = path or Path("/nonexistent")
        self.change(policy)
        self._clock = clock
        self._store: Store | None = None
        self.lost = 0

    @property
    def store(self) -> Store | None:
        """The open file, None while it is not needed."""
        return self._store

    def change(self, policy: Policy) -> None:
        """Keep to another policy, from the next opening on."""
        self._policy = policy.sheltered

    def open_left_over(self) -> None:
        """Take up what an earlier process left; what can't be read is removed, for it can't be used either."""
        if not self.exists or not self._path.exists():
            return
        try:
            self._open(self._path)
        except OutboxError as error:
            logger.error("outbox: %s", error)
            if isinstance(error, OutboxDamagedError):
                logger.error("outbox: what was held in memory is lost")
                remove_files(self._path)

    def commit(self, entries: Sequence[Entry], dropped: Sequence[Loss]) -> None:
        """Only where a shelter exists; raises an OutboxError if memory has no place either."""
        store = self._store or self._open(self._path)
        before = store.lost
        store.commit(entries, dropped)
        self.lost += store.lost - before

    def close(self) -> None:
        """Let go; the file stays for the next process."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def remove(self) -> None:
        """It is empty: give the memory back."""
        self.close()
        remove_files(self._path)

    def _open(self, path: Path) -> Store:
        store = Store(path, policy=self._policy, clock=self._clock)
        store.open()
        self._store = store
        return store
