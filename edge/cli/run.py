"""``edge run``: the service."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.core.errors import BrokerError, EdgeError, SourceError

if TYPE_CHECKING:
    from edge.report.stats import BrokerStats

logger = logging.getLogger(__name__)

_INTERRUPTED = 130  # as shells say it: 128 and the signal's number


@click.command()
@click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Default: /etc/edge/edge.yaml, else ./edge.yaml."
)
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds.")
def run(path: Path | None, duration: float | None) -> None:
    """Watch the cameras and tell the broker, until stopped or until all recordings have ended.

    Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 75 a camera was away to the end, or the broker was, or
    turned messages away; 78 the configuration or the model is wrong.
    """
    # Until there is a service to stop, leaving is all: an exception within the import of a native library becomes
    # whatever error that library makes of it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from edge.assemble.service import assemble_service
    from edge.assemble.threads import hand_over_quickly
    from edge.config.load import find_config, load_config
    from edge.config.not_yet import unused_settings
    from edge.core.clock import SystemClock

    # the service tells what it does (journald keeps it); -v and -vv tell more
    root = logging.getLogger()
    root.setLevel(min(root.level, logging.INFO))
    file = find_config(path)
    config = load_config(file)
    for setting in unused_settings(config):
        logger.warning("%s: read and checked, but this version does not act on it yet", setting)
    hand_over_quickly()
    assembly = assemble_service(config, SystemClock())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: assembly.service.stop())
    logger.info("%s", assembly.summary)
    outcome = assembly.service.run(duration)
    stats = assembly.outlet.stats()
    logger.info(
        "stopped after %.1f s: %d frames, %d events, %d delivered",
        outcome.seconds,
        outcome.frames,
        outcome.events,
        stats.delivered + stats.unheard,
    )
    try:
        _end(list(outcome.errors.values()), stats)
    except EdgeError as error:
        if not outcome.is_stopped:
            raise
        # who stops the service did not ask how it goes: systemd would call a stopped unit failed
        logger.warning("%s", error)


def _leave(*_: object) -> None:
    click.echo("edge: interrupted", err=True)
    os._exit(_INTERRUPTED)


def _end(errors: list[EdgeError], broker: BrokerStats) -> None:
    """Raise what ended badly, the one that a person has to mend first."""
    permanent = [error for error in errors if error.exit_code != SourceError.exit_code]
    if permanent:
        raise permanent[0]
    undelivered = _undelivered(broker)
    if undelivered is not None:
        raise BrokerError(f"{undelivered}: {broker.last_error or 'the broker did not answer'}")
    if errors:
        raise errors[0]


def _undelivered(broker: BrokerStats) -> str | None:
    """What the broker did not get although it should have; boxes of single frames may go missing."""
    waiting = broker.waiting_events + broker.in_flight
    if waiting:
        return f"{waiting} event(s) could not be delivered"
    if not broker.ever_connected:
        return "nothing was delivered"
    drops = broker.drops
    turned_away = drops.denied + drops.refused + drops.oversize  # not what overflowed: an outage may be long over
    return f"{turned_away} message(s) were turned away" if turned_away else None
