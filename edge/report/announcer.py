"""Keeps Home Assistant's picture of this device true: shows what is there, takes back what is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.core.kept_file import read_kept, write_kept
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.discovery import Discovery, Shown, withdrawal

logger = logging.getLogger(__name__)

# Home Assistant works through one message before the next may come: it ignores what comes while it is at it.
_SETTLE_NS = 5_000_000_000


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the broker keeps of us: discovery topic -> component id -> what is shown."""

    schema: int = 1
    devices: dict[str, dict[str, Shown]] = {}


class Announcer:
    """Speaks once when the service starts, and once more when that has arrived, if something had to be taken back.

    Parameters
    ----------
    discovery : what is shown; None = nothing any more
    file : where it is remembered what was shown, so that a later start can take it back
    is_settled : whether the broker has all that was sent
    """

    def __init__(
        self, discovery: Discovery | None, file: Path, *, clock: Clock, is_settled: Callable[[], bool]
    ) -> None:
        self._discovery = discovery
        self._file = file
        self._clock = clock
        self._is_settled = is_settled
        self._told = _Told()
        self._is_waiting = False
        self._second_word_ns: int | None = None

    def open(self) -> list[Message]:
        """The first word; remembered before it is said, so that nothing is shown that no later start knows of."""
        self._told = _read(self._file)
        now = self._shown()
        gone, removed = self._told.devices.keys() - now.keys(), self._removed(now)
        messages = [withdrawal(topic) for topic in sorted(gone)]
        if self._discovery is not None:
            messages.append(self._discovery.message(removed))
        both = {topic: {**self._told.devices.get(topic, {}), **shown} for topic, shown in now.items()}
        if self._told.devices != now:
            self._remember({**self._told.devices, **both})
        self._is_waiting = bool(gone or removed)
        return messages

    def due(self) -> list[Message]:
        """The second word, without what was taken back; empty most of the time."""
        if not self._is_waiting:
            return []
        if self._second_word_ns is None:
            if self._is_settled():
                self._second_word_ns = self._clock.monotonic_ns() + _SETTLE_NS
            return []
        if self._clock.monotonic_ns() < self._second_word_ns:
            return []
        self._is_waiting = False
        now = self._shown()
        self._remember(now)
        return [self._discovery.message()] if self._discovery is not None and self._removed(now) else []

    def _shown(self) -> dict[str, dict[str, Shown]]:
        return {} if self._discovery is None else {self._discovery.topic: self._discovery.shown}

    def _removed(self, now: dict[str, dict[str, Shown]]) -> dict[str, Shown]:
        """Of the device that is still shown."""
        return {
            key: each
            for topic, shown in now.items()
            for key, each in self._told.devices.get(topic, {}).items()
            if key not in shown
        }

    def _remember(self, devices: dict[str, dict[str, Shown]]) -> None:
        try:
            if devices:
                write_kept(self._file, _Told(devices=devices))
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            logger.warning(
                "%s: what Home Assistant was told can't be kept (%s): when a camera is removed, its entities have to "
                "be deleted there by hand. Give the service a folder it may write to (outbox.path)",
                self._file,
                error.strerror or error,
            )


def _read(file: Path) -> _Told:
    try:
        told = read_kept(file, _Told)
    except (OSError, ValueError) as error:
        logger.warning("%s: expected what Home Assistant was told, found something else (%s); ignored", file, error)
        return _Told()
    return told or _Told()
