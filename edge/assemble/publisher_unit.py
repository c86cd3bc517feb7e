"""The publisher as a unit of its own: it has the network and the broker's secrets, the detector has neither."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import NoReturn

import msgspec

from edge.assemble.broker import publisher_setup
from edge.assemble.publisher import make_publisher
from edge.config.load import find_config, load_config
from edge.core.clock import SystemClock
from edge.core.errors import EdgeError
from edge.service.channel import Channel, ChannelClosedError
from edge.service.doorway import open_doorway, welcome
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
    ConfigError, UsageError
    """
    load_config(find_config(config_file))
    with open_doorway(socket) as doorway:
        duty.ready("waiting for the detector")
        channel = welcome(doorway, alive=duty.alive)
    try:
        setup = _setup(config_file, first_word(channel, SystemClock()))
    except ChannelClosedError:
        setup = None
    except EdgeError:
        channel.close()
        raise
    leave_at_once(0 if setup is None else _publish(channel, setup, duty))


def _publish(channel: Channel, setup: Setup, duty: Notifier) -> int:
    publisher = make_publisher(channel, setup, SystemClock(setup.boot_id), alive=duty.alive)
    signal.signal(signal.SIGTERM, lambda *_: publisher.leave(_STOP_S))
    duty.status(f"publishing for {setup.device} to {setup.host}")
    return publisher.live()


def _setup(config_file: Path | None, theirs: Setup) -> Setup:
    """Where to publish is ours to know; which files wait, the detector's. Raises ConfigError."""
    config = load_config(find_config(config_file))
    volatile = None if theirs.volatile is None else Path(theirs.volatile)
    ours = publisher_setup(config, outbox=Path(theirs.outbox), volatile=volatile)
    ours = msgspec.structs.replace(ours, boot_id=theirs.boot_id)  # which our sandbox hides
    if msgspec.structs.replace(ours, password=None, key=None, log_level=theirs.log_level) != theirs:
        logger.warning("the detector was started with another configuration than ours: restart both units")
    return ours
