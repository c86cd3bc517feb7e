"""``edge run``: the service."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.hangup import Hangup
from edge.core.errors import BrokerError, EdgeError, SourceError

if TYPE_CHECKING:
    from edge.service.letters import Standing
    from edge.service.reading import Outcome

logger = logging.getLogger(__name__)

_INTERRUPTED = 130  # as shells say it: 128 and the signal's number


@click.command()
@click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Default: /etc/edge/edge.yaml, else ./edge.yaml."
)
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds.")
@click.option(
    "--publisher",
    type=click.Path(path_type=Path),
    metavar="SOCKET",
    help="Leave publishing to `edge publish` at this socket: this process then needs no network.",
)
def run(path: Path | None, duration: float | None, publisher: Path | None) -> None:
    """Watch the cameras and tell the broker, until stopped or until all recordings have ended.

    SIGHUP reads the configuration anew: what has not changed in it goes on; a file with mistakes changes nothing.

    Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 75 a camera was away to the end, or the broker was never
    reached, or it turned messages away; 78 the configuration or the model is wrong. Events that were not delivered are
    kept, and sent by the next start.
    """
    # Until there is a service to stop, leaving is all: an exception within the import of a native library becomes
    # whatever error that library makes of it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    hangup = Hangup()
    from edge.assemble.early import begin as begin_early

    begin_early(has_own_publisher=publisher is None)
    from edge.assemble.outbox import outbox_policy, outbox_remainder
    from edge.assemble.safe_mode import begin
    from edge.assemble.service import assemble_service
    from edge.assemble.threads import hand_over_quickly
    from edge.config.load import find_config
    from edge.config.not_yet import unused_settings
    from edge.core.clock import SystemClock
    from edge.service.inside import settle

    # the service tells what it does (journald keeps it); -v and -vv tell more
    root = logging.getLogger()
    root.setLevel(min(root.level, logging.INFO))
    clock = SystemClock()
    start = begin(find_config(path), clock)
    config = start.config
    for setting in unused_settings(config):
        logger.warning("%s: read and checked, but this version does not act on it yet", setting)
    hand_over_quickly()
    try:
        assembly = assemble_service(start, clock, publisher=publisher)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: assembly.service.stop())
        hangup.become(assembly.reload, assembly.service.stop)
        logger.info("%s", assembly.summary)
        settle()
        outcome = assembly.service.run(duration)
    except EdgeError:
        start.finished()
        raise
    start.finished()
    standing = assembly.outlet.standing()
    remainder = outbox_remainder(assembly.outbox, outbox_policy(config), clock, epoch=assembly.epoch)
    _sum_up(outcome, standing, sent=remainder.sent)
    try:
        _end(list(outcome.errors.values()), standing=standing, waiting=remainder.waiting, outbox=assembly.outbox)
    except EdgeError as error:
        if not outcome.is_stopped:
            raise
        # who stops the service did not ask how it goes: systemd would call a stopped unit failed
        logger.warning("%s", error)


def _leave(*_: object) -> None:
    click.echo("edge: interrupted", err=True)
    os._exit(_INTERRUPTED)


def _sum_up(outcome: Outcome, standing: Standing, *, sent: int) -> None:
    logger.info(
        "stopped after %.1f s: %d frames, %d events, %d delivered%s",
        outcome.seconds,
        outcome.frames,
        outcome.events,
        max(sent, standing.delivered + standing.unheard),
        f", {standing.unheard} of them to nobody" if standing.unheard else "",
    )


def _end(errors: list[EdgeError], *, standing: Standing, waiting: int, outbox: Path) -> None:
    """Raise what ended badly, the one that a person has to mend first."""
    permanent = [error for error in errors if error.exit_code != SourceError.exit_code]
    if permanent:
        raise permanent[0]
    kept = f"{waiting} event(s) are kept in {outbox} and will be sent by the next start" if waiting else ""
    undelivered = _undelivered(standing)
    if undelivered is not None:
        raise BrokerError("; ".join(filter(None, [undelivered, kept])))
    if kept:
        logger.warning("%s", kept)
    if errors:
        raise errors[0]


def _undelivered(way_out: Standing) -> str | None:
    """What the broker did not get although it should have; boxes of single frames may go missing."""
    if not way_out.ever_connected:
        return way_out.last_error or "the broker did not answer"
    # not what overflowed: an outage may be long over
    turned_away = sum(way_out.drops.get(f"message_{cause}", 0) for cause in ("denied", "refused", "oversize"))
    return f"{turned_away} message(s) were turned away: {way_out.last_error}" if turned_away else None
