"""Clears what the broker still keeps of cameras, zones, lines and labels that are no longer configured.

A retained state outlives who sent it: without this, a removed zone would show its last count for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from edge.core.errors import ConfigError
from edge.core.kept_file import read_kept, write_kept
from edge.core.values import Message
from edge.report.discovery import withdrawal
from edge.report.topics import Topics

logger = logging.getLogger(__name__)

SCHEMA = 1


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the broker may keep of one camera, by names as they stand in topics."""

    labels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    snapshots: bool = False


class _Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device: str
    cameras: dict[str, Kept]
    schema: int = SCHEMA


class Leftovers:
    """Speaks once when the service starts.

    Parameters
    ----------
    cameras : what this configuration may have the broker keep
    file : where that is remembered for later starts
    is_settled : whether the broker has all that was sent
    """

    def __init__(
        self, cameras: Mapping[str, Kept], topics: Topics, file: Path, *, is_settled: Callable[[], bool]
    ) -> None:
        self._cameras = dict(cameras)
        self._topics = topics
        self._file = file
        self._is_settled = is_settled
        self._is_waiting = False

    def open(self) -> list[Message]:
        """What takes back that nobody will send again. It stays remembered until the broker has it."""
        before = self._read()
        try:
            gone = self._all(before) - self._all(self._cameras)
        except ConfigError as error:
            logger.warning("%s: names that no topic can have (%s); ignored", self._file, error)
            before, gone = {}, set()
        self._is_waiting = bool(gone)
        if before != self._cameras:
            self._remember(_both(before, self._cameras))
        return [withdrawal(topic) for topic in sorted(gone)]

    def due(self) -> list[Message]:
        """Nothing more to say; forgets what the broker has taken back."""
        if self._is_waiting and self._is_settled():
            self._is_waiting = False
            self._remember(self._cameras)
        return []

    def _all(self, cameras: Mapping[str, Kept]) -> set[str]:
        found = set()
        for name, kept in cameras.items():
            found.add(self._topics.camera_status(name))
            found.update(self._topics.line(name, line) for line in kept.lines)
            for label in kept.labels:
                found.add(self._topics.count(name, label))
                found.update(self._topics.zone_count(name, zone, label) for zone in kept.zones)
                if kept.snapshots:
                    found.add(self._topics.snapshot(name, label))
        return found

    def _read(self) -> dict[str, Kept]:
        """Of another device nothing: its topics are no longer ours to write to."""
        try:
            memory = read_kept(self._file, _Memory)
        except (OSError, ValueError) as error:
            logger.warning(
                "%s: expected the names of retained states, found something else (%s); ignored", self._file, error
            )
            return {}
        return memory.cameras if memory is not None and memory.device == self._topics.device else {}

    def _remember(self, cameras: dict[str, Kept]) -> None:
        try:
            write_kept(self._file, _Memory(self._topics.device, cameras))
        except OSError as error:
            logger.warning(
                "%s: the names of retained states can't be kept (%s): when a camera, zone or line is removed, "
                "the broker goes on showing its last state. Give the service a folder it may write to (outbox.path)",
                self._file,
                error.strerror or error,
            )


def _both(before: Mapping[str, Kept], now: Mapping[str, Kept]) -> dict[str, Kept]:
    """What either may have left there."""
    together = dict(before)
    for name, kept in now.items():
        other = before.get(name, Kept())
        together[name] = Kept(
            labels=_union(other.labels, kept.labels),
            zones=_union(other.zones, kept.zones),
            lines=_union(other.lines, kept.lines),
            snapshots=other.snapshots or kept.snapshots,
        )
    return together


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
