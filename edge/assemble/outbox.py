"""The outbox of a configuration: where its file is, who writes it, and how a loss becomes an event."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.config.values import Config
from edge.core.errors import ConfigError
from edge.core.events import Event, EventType, LostEvents, Occurrence
from edge.core.protocols import Clock
from edge.report.outbox.keeper import Keeper
from edge.report.outbox.reader import OutboxReader
from edge.report.outbox.values import Entry, Loss, LossKind, Outgoing, Policy, outgoing
from edge.report.payloads import event_message
from edge.report.topics import Topics
from edge.service.identity import Identities, event_time

SERVICE_FOLDER = Path("/var/lib/edge")
_MINUTE_MS = 60_000


class SpeakingKeeper(Keeper):
    """Says what was committed, so that nobody has to poll for it; in the writer's thread."""

    on_commit: Callable[[], None] | None = None
    on_entries: Callable[[Sequence[Entry]], None] | None = None

    def commit(self, entries: Sequence[Entry], dropped: Sequence[Loss] = ()) -> bool:
        is_committed = super().commit(entries, dropped)
        if is_committed and self.on_entries is not None:
            self.on_entries(entries)
        if is_committed and self.on_commit is not None:
            self.on_commit()
        return is_committed


def outbox_policy(config: Config) -> Policy:
    """What the user decides about the outbox."""
    return Policy(
        max_bytes=round(config.outbox.max_megabytes * 1024 * 1024), has_consumer=config.outbox.consumer is not None
    )


def outbox_path(config: Config) -> Path:
    """Where the configuration says; without a word of it, the service's folder or, at a desk, the user's own.

    A file per device: two of them at one desk must not send each other's events.
    """
    wanted = config.outbox.path
    if wanted is not None:
        return wanted
    folder = state_folder()
    if folder is None:
        raise ConfigError(
            "outbox: expected a folder for the events that wait, found none that can be written; set outbox.path"
        )
    return folder / f"outbox-{config.device}.db"


def state_folder() -> Path | None:
    """Where what outlives a restart is kept: the service's folder, or at a desk the user's own; None = nowhere."""
    return next((folder for folder in _folders() if _is_usable(folder)), None)


def state_folders(config: Config) -> list[Path]:
    """Where the service may keep what outlives a restart; none of them is made here."""
    return _folders() if config.outbox.path is None else [config.outbox.path.parent]


def volatile_path(outbox: Path) -> Path | None:
    """Memory that outlives the process, for when the disk fails: systemd's runtime folder, else shared memory."""
    runtime = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime.partition(":")[0]) if runtime else Path("/dev/shm") / f"edge-{os.getuid()}"  # noqa: S108
    mark = hashlib.sha256(str(outbox.absolute()).encode()).hexdigest()[:16]
    return folder / f"outbox-{mark}.db" if _is_usable(folder) else None


@dataclass(frozen=True, slots=True)
class Remainder:
    """How a run left the outbox.

    waiting : events, those of earlier runs too
    sent : of this run's events, those that the broker has taken. A publisher that is killed can't say any more what it
        did last; the file knows
    """

    waiting: int
    sent: int


def outbox_remainder(path: Path, policy: Policy, clock: Clock, *, epoch: str) -> Remainder:
    """Of a file that nobody uses any more."""
    reader = OutboxReader(path, policy=policy, clock=clock)
    try:
        return Remainder(reader.depth(), reader.sent(epoch))
    finally:
        reader.close()


def teller(
    topics: Topics, identities: Identities, clock: Clock, *, cameras: tuple[str, ...], backend: str
) -> Callable[[Loss], Outgoing]:
    """How a loss becomes an event. One that no camera can be named for is told as the first camera's."""

    def tell(loss: Loss) -> Outgoing:
        is_summary = loss.kind is LossKind.SUMMARY
        kind = EventType.SUMMARY if is_summary else EventType.GAP
        occurrence = Occurrence(kind, clock.monotonic_ns(), clock.utc_now(), frame_sequence=0)
        event = Event(
            id=identities.next(),
            camera=loss.camera or cameras[0],
            occurrence=occurrence,
            time=event_time(occurrence, clock),
            backend=backend,
            label=loss.label or None,
            lost=LostEvents(
                epoch=loss.epoch,
                ranges=tuple((span.first, span.last) for span in loss.spans),
                cause=loss.cause,
                count=loss.count,
                since_wall_ms=loss.minute * _MINUTE_MS if is_summary else None,
            ),
        )
        return outgoing(event_message(event, topics))

    return tell


def _folders() -> list[Path]:
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111
    return [*([Path(state)] if state else []), SERVICE_FOLDER, Path(home) / "edge"]


def _is_usable(folder: Path) -> bool:
    """Whether we may write there; a folder that is not there is made if that is ours to do."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    # in a folder for all, such as /dev/shm, somebody else may have been first
    is_ours = os.getuid() == 0 or folder.stat().st_uid == os.getuid()
    return is_ours and os.access(folder, os.W_OK | os.X_OK)
