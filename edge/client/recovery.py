"""A damaged consumer's file: what can be read of it goes into a new one, and what may have been in it is named.

An event is confirmed to its device when it is committed here, and struck out when the user has it. So what such a file
held and can't be read any more, only the device still has, and it does not know that it is wanted: the numbers in
doubt are made missing again, and what is missing is asked for.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge.client import schema
from edge.client.numbers import Numbers, Range
from edge.client.payloads import PayloadError, read_event
from edge.client.progress import Progress
from edge.core.names import is_name

logger = logging.getLogger(__name__)

Key = tuple[str, str]  # device, epoch
_Place = tuple[int, Key, Progress]
_Position = tuple[int, str, str, str, str, int, int]
_Ranges = list[tuple[int, int]]
_PROGRESS = "SELECT place, device, epoch, taken, lost, heard, closed FROM progress"
_WAITING = "SELECT rowid, device, epoch, seq, turn, handed, camera, type, payload FROM waiting"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Events of one epoch that may have been waiting, and may as well have been handed over before."""

    device: str
    epoch: str
    ranges: tuple[Range, ...]


def recover(old: Path, fresh: Path, *, most_waiting: int, strict_order: bool) -> list[Doubt] | None:
    """Fill the new file, which has its tables, from the damaged one. Raises sqlite3.Error.

    Returns what is in doubt; None when nothing could be read, so that nobody knows.

    most_waiting : that many events can have waited, the newest of each device
    strict_order : what is saved waits for what is in doubt before it
    """
    with closing(schema.connect(fresh, durable=True)) as target:
        target.execute("BEGIN IMMEDIATE")
        places, saved = _read(old, target)
        if strict_order:
            target.execute("UPDATE waiting SET turn = NULL")
        doubts = _doubts(places, saved, most_waiting)
        _write(target, places, doubts)
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # all of it in the one file that gets the name
    return doubts if places else None


def _read(old: Path, target: sqlite3.Connection) -> tuple[list[_Place], dict[Key, Numbers]]:
    saved: dict[Key, Numbers] = {}
    try:
        with closing(sqlite3.connect(old)) as source:
            places = sorted(_progress(source), key=lambda place: place[0])
            for key, seq in _save_waiting(source, target):
                saved.setdefault(key, Numbers()).add(seq)
    except sqlite3.OperationalError:
        raise  # a full disk: nothing has been decided yet
    except sqlite3.DatabaseError as error:
        logger.debug("%s: %s", old, error)
        return [], saved
    known = {key for _, key, _ in places}
    # an epoch whose position is gone had a place too: what lies below its events has been taken, or is in doubt
    ends = {key: numbers.ranges[-1][1] for key, numbers in saved.items() if key not in known}
    return [*places, *((0, key, Progress(taken=[(1, end)], heard=end)) for key, end in ends.items())], saved


def _progress(source: sqlite3.Connection) -> Iterator[_Place]:
    known: set[Key] = set()
    for row in _rows(source, _PROGRESS, "device, epoch"):
        try:
            place, device, epoch, taken, lost, heard, closed = msgspec.convert(row, _Position)
            ranges = msgspec.json.decode(taken, type=_Ranges), msgspec.json.decode(lost, type=_Ranges)
        except msgspec.DecodeError:
            logger.debug("a position can't be read: %r", row)
            continue
        if (device, epoch) not in known and is_name(device) and all(last <= heard for _, last in ranges[0]):
            known.add((device, epoch))
            yield place, (device, epoch), Progress(taken=ranges[0], lost=ranges[1], heard=heard, is_closed=bool(closed))


def _save_waiting(source: sqlite3.Connection, target: sqlite3.Connection) -> Iterator[tuple[Key, int]]:
    """Copy each event that is what it says; which."""
    for _, device, epoch, seq, turn, handed, camera, kind, payload in _rows(source, _WAITING, "rowid"):
        try:
            event = read_event(f"edge/{device}/camera/{camera}/event", payload)
        except (PayloadError, TypeError):
            continue
        if (event.epoch, event.seq, event.camera, event.type) != (epoch, seq, camera, kind):
            continue
        target.execute(
            "INSERT OR IGNORE INTO waiting (device, epoch, seq, turn, handed, camera, type, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (device, epoch, seq, turn if isinstance(turn, int) else None, bool(handed), camera, kind, payload),
        )
        yield (device, epoch), seq


def _rows(source: sqlite3.Connection, query: str, order: str) -> Iterator[tuple[Any, ...]]:
    """From the beginning to the damage, then from the end back to it; a row may come twice."""
    for direction in ("ASC", "DESC"):
        terms = ", ".join(f"{column} {direction}" for column in order.split(", "))
        try:
            yield from source.execute(f"{query} ORDER BY {terms}")
        except sqlite3.DatabaseError as error:
            logger.debug("read up to the damage: %s", error)
        else:
            return


def _doubts(places: list[_Place], saved: Mapping[Key, Numbers], most_waiting: int) -> list[Doubt]:
    """The highest numbers taken, newest epochs first, that are not saved: no more than can have waited."""
    left: dict[str, int] = {}
    found: list[Doubt] = []
    for _, (device, epoch), progress in reversed(places):
        room = left.setdefault(device, most_waiting)
        here = saved.get((device, epoch), Numbers())
        ranges: list[Range] = []
        for first, last in reversed([gap for span in progress.taken for gap in here.missing(*span)]):
            begin = max(first, last - room + 1)
            if begin <= last:
                ranges.insert(0, (begin, last))
                room -= last - begin + 1
        left[device] = room
        if ranges:
            found.insert(0, Doubt(device, epoch, tuple(ranges)))
    return found


def _write(target: sqlite3.Connection, places: list[_Place], doubts: list[Doubt]) -> None:
    in_doubt = {(doubt.device, doubt.epoch): Numbers(doubt.ranges) for doubt in doubts}
    for number, (_, key, progress) in enumerate(places, 1):
        doubted = in_doubt.get(key, Numbers())
        taken = [rest for span in progress.taken for rest in doubted.missing(*span)]
        values = (*key, number, json.dumps(taken), json.dumps(progress.lost), progress.heard, progress.is_closed)
        target.execute("INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        target.executemany("INSERT INTO doubts VALUES (?, ?, ?, ?)", [(*key, *span) for span in doubted])
