"""What ``edge watch`` prints: a line per event for people, or the event itself as JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from edge.client import Delivery, Notice, NoticeKind
from edge.client.hooks import HookBlockedError
from edge.core.plain_text import plain_text


class Printer:
    """A hook that prints; the first of all, so that what is printed twice was handed over twice.

    Raises
    ------
    BrokenPipeError
        When the reader has left (``| head``).
    """

    name = "print"

    def __init__(self, *, as_json: bool, output: Output | None = None) -> None:
        self._as_json = as_json
        self._output = output or Output(sys.stdout.fileno())
        self._has_connected = False
        self.last_trouble = ""

    def run(self, delivery: Delivery) -> None:
        """Raises HookBlockedError when the output takes nothing now, as a file on a full disk."""
        line = (event_json if self._as_json else event_line)(delivery)
        try:
            self._output.write(line, about=delivery.key)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise HookBlockedError(f"standard output takes nothing ({error.strerror})") from error

    def stop(self) -> None:
        """Nothing of it lives on."""

    def tell(self, notice: Notice) -> None:
        """Gaps and losses are part of the output; the rest is for people.

        A trouble before the first connection is kept for the error that ends the command.
        """
        self._has_connected = self._has_connected or notice.kind is NoticeKind.CONNECTED
        if notice.kind is NoticeKind.TROUBLE:
            self.last_trouble = notice.words
            if not self._has_connected:
                return
        with suppress(OSError):  # the thread of the network has better things to do than to wait for a disk
            if self._as_json and notice.kind in (NoticeKind.GAP, NoticeKind.LOST):
                self._output.write(notice_json(notice))
            else:
                print(f"edge: {plain_text(notice.words)}", file=sys.stderr, flush=True)


class Output:
    """Whole lines to a descriptor, from any thread. What it did not take stays first in line for the next time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._busy = threading.Lock()
        self._left = b""
        self._told_of: set[str] = set()

    def write(self, line: str, *, about: str | None = None) -> None:
        """Raises OSError; a line about the same thing is then not put in line a second time."""
        with self._busy:
            if about is None or about not in self._told_of:
                self._left += line.encode() + b"\n"
            if about is not None:
                self._told_of.add(about)
            while self._left:
                self._left = self._left[os.write(self._descriptor, self._left) :]
            self._told_of.discard(about or "")


def event_json(delivery: Delivery) -> str:
    """The device's event on one line, otherwise unchanged."""
    return msgspec.json.format(delivery.payload, indent=-1).decode()


def notice_json(notice: Notice) -> str:
    """Told apart from an event by its key ``notice``."""
    return json.dumps(
        {
            "notice": notice.kind.value,
            "device": notice.device,
            "epoch": notice.epoch,
            "ranges": notice.ranges,
            "words": notice.words,
        }
    )


def event_line(delivery: Delivery) -> str:
    """``2026-01-01 12:00:00  gate/yard  zone_enter  person 0.83  drive  ALERT person-in-drive``."""
    event = delivery.event()
    parts = [_when(event), f"{delivery.device}/{delivery.camera}", delivery.type, *_what(event), *_why(event)]
    if event.get("replayed") is True:
        parts.append("(sent late)")
    if delivery.may_repeat:
        parts.append("(perhaps shown before)")
    return plain_text("  ".join(parts))


def _when(event: dict[str, Any]) -> str:
    try:
        moment = datetime.fromtimestamp(event["time"]["wall_ms"] / 1000).astimezone()
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return "????-??-?? ??:??:??"
    return moment.strftime("%Y-%m-%d %H:%M:%S") + ("" if event["time"].get("synced") else "?")


def _what(event: dict[str, Any]) -> list[str]:
    found = []
    if isinstance(event.get("label"), str):
        score = event.get("score")
        found.append(f"{event['label']} {score:.2f}" if isinstance(score, int | float) else event["label"])
    zones, line = event.get("zones"), event.get("line")
    if isinstance(zones, list) and zones:
        found.append(", ".join(map(str, zones)))
    if isinstance(line, dict):
        found.append(f"{line.get('name')} {line.get('direction')}")
    return found


def _why(event: dict[str, Any]) -> list[str]:
    rule = event.get("rule")
    if not isinstance(rule, dict):
        return []
    mark = "ALERT " if rule.get("severity") == "alert" else ""
    return [f"{mark}{rule.get('name')}"]
