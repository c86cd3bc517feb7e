"""The publisher as a unit of its own: it has the network and the broker's secrets, the detector has neither."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import NoReturn

import msgspec

from edge.assemble.publisher import make_publisher
from edge.assemble.publisher_hangup import PublisherHangup
from edge.assemble.publisher_settings import PublisherSettings
from edge.config.load import find_config
from edge.core.clock import SystemClock
from edge.service.channel import Channel, ChannelClosedError
from edge.service.doorway import Doorway
from edge.service.inside import leave_at_once
from edge.service.letters import Setup
from edge.service.publisher import first_word
from edge.service.systemd import Notifier

logger = logging.getLogger(__name__)

_STOP_S = 3.0  # to deliver what is under way and to say offline, when systemd asks for the end


def serve(config_file: Path | None, socket: Path, *, duty: Notifier) -> NoReturn:
    """Publish for one detector, and end with it.

    The configuration is read at the start, so that a mistake is told at once, and again when the detector comes, so
    that both have the same.

    Raises
    ------
    ConfigError, InUseError, UsageError
    SystemExit
        By SIGTERM or SIGINT while it waits: 0.
    """
    file = find_config(config_file)
    settings = PublisherSettings(file)
    settings.read()
    doorway = Doorway(socket)
    doorway.open()
    hangup = PublisherHangup(file, duty)
    signal.signal(signal.SIGHUP, lambda *_: hangup.hear())
    try:
        _hear_signals()
        logger.info("waiting for the detector at %s", socket)
        duty.ready("waiting for the detector")
        channel = doorway.welcome(alive=hangup.turn)
        doorway.close()
        code = _serve(channel, settings, duty, hangup)
    finally:
        duty.stopping()
        doorway.leave()
    leave_at_once(code)


def _hear_signals() -> None:
    """Until there is something to deliver, leaving is all."""

    def leave(*_: object) -> NoReturn:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def _serve(channel: Channel, settings: PublisherSettings, duty: Notifier, hangup: PublisherHangup) -> int:
    try:
        theirs = first_word(channel, SystemClock())
        setup = _ours(settings, theirs)
    except ChannelClosedError:
        logger.info("the detector left without a word")
        return 0
    publisher = make_publisher(channel, setup, SystemClock(setup.boot_id), alive=hangup.turn)
    hangup.begin(setup, lambda: _ours(settings, theirs), lambda: publisher.leave(_STOP_S))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: publisher.leave(_STOP_S))
    logger.info("publishing for %s to %s:%d", setup.device, setup.host, setup.port)
    duty.status(f"publishing for {setup.device} to {setup.host}")
    return publisher.live()


def _ours(settings: PublisherSettings, theirs: Setup) -> Setup:
    """Where to publish is ours to know; which files wait, the detector's. Raises ConfigError."""
    volatile = None if theirs.volatile is None else Path(theirs.volatile)
    ours = settings.setup(outbox=Path(theirs.outbox), volatile=volatile)
    ours = msgspec.structs.replace(ours, boot_id=theirs.boot_id)  # which our sandbox hides
    if msgspec.structs.replace(ours, password=None, key=None, log_level=theirs.log_level) != theirs:
        logger.warning("the detector was started with another configuration than ours: reload both units")
    return ours
