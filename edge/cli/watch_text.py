"""What ``edge watch`` prints: a line per event for people, or the event itself as JSON."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

import msgspec

from edge.client import Delivery, Notice, NoticeKind
from edge.core.plain_text import plain_text


class Printer:
    """A hook that prints; the first of all, so that what is printed twice was handed over twice.

    Raises
    ------
    BrokenPipeError
        When the reader has left (``| head``).
    """

    name = "print"

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._has_connected = False
        self.last_trouble = ""

    def run(self, delivery: Delivery) -> None:
        sys.stdout.write((event_json if self._as_json else event_line)(delivery) + "\n")
        sys.stdout.flush()

    def tell(self, notice: Notice) -> None:
        """Gaps and losses are part of the output; the rest is for people.

        A trouble before the first connection is kept for the error that ends the command.
        """
        self._has_connected = self._has_connected or notice.kind is NoticeKind.CONNECTED
        if notice.kind is NoticeKind.TROUBLE:
            self.last_trouble = notice.words
            if not self._has_connected:
                return
        if self._as_json and notice.kind in (NoticeKind.GAP, NoticeKind.LOST):
            sys.stdout.write(notice_json(notice) + "\n")
            sys.stdout.flush()
        else:
            print(f"edge: {plain_text(notice.words)}", file=sys.stderr, flush=True)


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
