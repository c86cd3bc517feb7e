"""Where events go when the disk fails: the file, else memory that outlives the process, else the caller keeps them.

No thread of its own; nothing here raises for a broken disk. Only a path that belongs to another program is the
user's to mend.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.report.outbox import database, salvage
from edge.report.outbox.moving import move
from edge.report.outbox.room import FreeShare, free_share
from edge.report.outbox.shelter import Shelter
from edge.report.outbox.store import NoDiskError, Store
from edge.report.outbox.trouble import (
    OutboxBusyError,
    OutboxDamagedError,
    OutboxError,
    OutboxInUseError,
    OutboxTornError,
    OutboxUnavailableError,
)
from edge.report.outbox.values import DAMAGE, TORN, Entry, Loss, Mode, OutboxReading, Policy

logger = logging.getLogger(__name__)

_RETRY_NS = 10_000_000_000  # a disk that failed is tried again this often


class Keeper:
    """One outbox: its file, and the shelter in memory."""

    def __init__(
        self,
        path: Path,
        *,
        volatile_path: Path | None,
        policy: Policy,
        clock: Clock,
        free: FreeShare = free_share,
        connect: database.Connect = database.connect,
    ) -> None:
        self._path = path
        self._policy = self._wanted = policy
        self._clock = clock
        self._make_store = partial(Store, path, clock=clock, free=free, connect=connect)
        self._store = self._make_store(policy=policy)
        self._shelter = Shelter(volatile_path, policy=policy, clock=clock)
        self._mode = Mode.HELD
        self._trouble = ""
        self._retry_ns = 0
        self._highest: dict[str, int] = {}
        self._set_aside: tuple[Path, ...] = ()

    @property
    def group_bytes(self) -> int:
        """The most payload to commit at a time."""
        return self._policy.group_bytes

    @property
    def mode(self) -> Mode:
        return self._mode

    def open(self) -> None:
        """Find or make the file and mend it if need be.

        Raises
        ------
        ConfigError
            It is another program's.
        OutboxInUseError
            Another process writes it: the two would take each other's place at the broker too.
        """
        self._shelter.open_left_over()
        try:
            self._recover()
        except OutboxInUseError:
            self.close()
            raise

    def change(self, policy: Policy) -> None:
        """Keep to another policy, soon; from any thread."""
        self._wanted = policy

    def close(self) -> None:
        self._store.close()
        self._shelter.close()
        self._mode = Mode.HELD

    def commit(self, entries: Sequence[Entry], dropped: Sequence[Loss] = ()) -> bool:
        """Put events and losses where they are safe; False if there is no such place now, and the caller keeps them."""
        self._try_again()
        if self._mode is Mode.DURABLE:
            try:
                return self._commit_durable(entries, dropped)
            except OutboxBusyError as error:
                self._say(error)
                return False
            except OutboxError as error:
                self._leave(error)
        return self._commit_sheltered(entries, dropped)

    def tend(self) -> list[Loss]:
        """What has to be done now and then; returns the losses that are to be told now."""
        self._try_again()
        self._follow()
        try:
            if self._mode is Mode.DURABLE:
                if salvage.is_suspected(self._path):
                    self._mend(DAMAGE)
                self._store.keep_time()
            store = self._in_use()
            return store.due() if store else []
        except OutboxBusyError:
            return []
        except OutboxError as error:
            self._leave(error)
            return []

    def version(self) -> int:
        """Changes when the reader has changed something; -1 while that can't be known."""
        try:
            return self._store.version() if self._mode is Mode.DURABLE else -1
        except OutboxError:
            return -1

    def reading(self) -> OutboxReading:
        """The state of things, read from the file in use."""
        store = self._in_use()
        pending, used_bytes, is_full = 0, 0, store is None
        try:
            if store is not None:
                pending, used_bytes, is_full = store.pending(), store.used_bytes(), store.is_full()
        except OutboxError as error:
            self._trouble = self._trouble or str(error)
        return OutboxReading(
            mode=self._mode,
            guarantee=self._policy.guarantee,
            pending=pending,
            used_bytes=used_bytes,
            is_full=is_full,
            lost=self._store.lost + self._shelter.lost,
            trouble=self._trouble,
            set_aside=self._set_aside,
        )

    def _follow(self) -> None:
        """Another policy has been asked for: the file is opened anew with it."""
        if self._wanted == self._policy:
            return
        self._policy, lost = self._wanted, self._store.lost
        self._store.close()
        self._store, self._mode = self._make_store(policy=self._policy), Mode.HELD
        self._store.lost = lost
        self._shelter.change(self._policy)
        self._retry_ns = 0  # an earlier failure is no reason to leave the file closed
        self._try_again()

    def _in_use(self) -> Store | None:
        return self._store if self._mode is Mode.DURABLE else self._shelter.store

    def _commit_durable(self, entries: Sequence[Entry], dropped: Sequence[Loss]) -> bool:
        """Commit, and once more if the file could be mended."""
        try:
            self._commit_once(entries, dropped)
        except OutboxError as error:
            if not _is_mendable(error):
                raise
            self._say(error)
            self._mend(_cause(error))
            if self._mode is not Mode.DURABLE:
                raise
            self._commit_once(entries, dropped)
        return True

    def _commit_once(self, entries: Sequence[Entry], dropped: Sequence[Loss]) -> None:
        self._store.commit(entries, dropped, refuse_for_disk=not self._shelter.exists)
        for entry in entries:
            epoch, seq = entry.record.epoch, entry.record.seq
            self._highest[epoch] = max(self._highest.get(epoch, 0), seq)

    def _commit_sheltered(self, entries: Sequence[Entry], dropped: Sequence[Loss]) -> bool:
        if not self._shelter.exists:
            return False
        try:
            self._shelter.commit(entries, dropped)
        except OutboxError as error:
            self._say(error)
            self._mode = Mode.HELD
            return False
        self._mode = Mode.VOLATILE
        return True

    def _try_again(self) -> None:
        if self._mode is Mode.DURABLE or self._clock.monotonic_ns() < self._retry_ns:
            return
        try:
            self._recover()
        except EdgeError as error:  # another program has taken the path meanwhile, or another of us the file
            self._leave(error)

    def _recover(self) -> None:
        """Take the file into use, mended if it has to be, with what the shelter has gathered meanwhile."""
        self._store.close()
        try:
            self._take_aside(keep=True)
            self._store.open()
            self._resume(rebuilt=False)
        except OutboxDamagedError as error:
            self._say(error)
            self._mend(_cause(error))
        except OutboxInUseError:
            raise
        except OutboxError as error:
            self._leave(error)

    def _mend(self, cause: str | None) -> None:
        self._store.close()
        self._mode = Mode.HELD
        try:
            salvage.rebuild(self._path, cause)
            self._take_aside(keep=cause == DAMAGE)
            salvage.clear_suspicion(self._path)
            self._store.open()
            self._resume(rebuilt=True)
        except OutboxError as error:
            self._leave(error)

    def _resume(self, *, rebuilt: bool) -> None:
        sheltered = self._shelter.store
        # first, before anything makes room: a hole must not be taken for what was given up
        self._store.name_holes(self._highest, sheltered, rebuilt=rebuilt)
        if sheltered is not None:
            if self._store.is_disk_low() and sheltered.pending():
                raise NoDiskError(f"{self._path}: expected free disk, found it nearly full still; free some space")
            for epoch, seq in move(sheltered, self._store, most_bytes=self.group_bytes).items():
                self._highest[epoch] = max(self._highest.get(epoch, 0), seq)
            self._shelter.remove()
        if self._trouble:
            logger.warning("outbox: %s is in use again", self._path)
        self._mode, self._trouble = Mode.DURABLE, ""

    def _take_aside(self, *, keep: bool) -> None:
        aside = salvage.finish_exchange(self._path, self._clock, keep=keep)
        if aside is not None:
            logger.error("outbox: %s was damaged and is set aside as %s", self._path, aside.name)
            self._set_aside = (*self._set_aside, aside)

    def _leave(self, error: EdgeError) -> None:
        """Stop using the file for now."""
        self._say(error)
        self._store.close()
        self._retry_ns = self._clock.monotonic_ns() + _RETRY_NS
        self._mode = Mode.HELD if self._shelter.store is None else Mode.VOLATILE

    def _say(self, error: EdgeError) -> None:
        if not self._trouble:
            logger.error("outbox: %s", error)
        self._trouble = str(error)


def _cause(error: OutboxError) -> str | None:
    if isinstance(error, OutboxTornError):
        return TORN
    return DAMAGE if isinstance(error, OutboxDamagedError) else None


def _is_mendable(error: OutboxError) -> bool:
    """Damage, or a failed write.

    After a failed fsync the kernel forgets what it could not write, and the next fsync succeeds without it
    (PostgreSQL wiki, "Fsync Errors"): all of it has to be written anew, into another file.
    """
    return isinstance(error, OutboxDamagedError) or (isinstance(error, OutboxUnavailableError) and error.is_suspect)
