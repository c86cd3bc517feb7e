"""The way out of a configuration: the outbox's writer here, its reader in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.assemble.outbox import SpeakingKeeper, outbox_policy
from edge.config.values import Config
from edge.core.protocols import Clock
from edge.core.values import Message
from edge.report.listening import Heard
from edge.report.outbox.values import Loss, Outgoing
from edge.report.outbox.writer import OutboxWriter
from edge.report.states import Delivery
from edge.service.child import Child
from edge.service.letters import Setup
from edge.service.publishing import LOOK_S, Publishing, other_publisher, own_publisher
from edge.service.waking import TURN_S, WakingClock


def make_outlet(
    config: Config,
    keeper: SpeakingKeeper,
    publisher: Child,
    *,
    tell: Callable[[Loss], Outgoing],
    describe: Callable[[Delivery], Message],
    clock: Clock,
    hear: Callable[[Heard], None] = lambda _heard: None,
) -> Publishing:
    """Nothing of it runs yet.

    Parameters
    ----------
    tell : makes the event that tells of a loss
    describe : says which promise is in force
    hear : takes what came in and is not for the publisher
    """
    writer = OutboxWriter(keeper, tell, clock=clock)
    outlet = Publishing(
        publisher, writer, guarantee=guarantee(config), describe=describe, hear=hear, clock=_waking(clock)
    )
    keeper.on_commit = outlet.committed
    return outlet


def make_keeper(config: Config, outbox: Path, volatile: Path | None, clock: Clock) -> SpeakingKeeper:
    """Where events are kept."""
    return SpeakingKeeper(outbox, volatile_path=volatile, policy=outbox_policy(config), clock=clock)


def make_publisher(setup: Setup, socket: Path | None, clock: Clock) -> Child:
    """Who publishes; ``socket`` : of one that runs by itself, None = one is started."""
    waking = _waking(clock)
    return own_publisher(setup, waking) if socket is None else other_publisher(setup, waking, socket=socket)


def _waking(clock: Clock) -> Clock:
    return WakingClock(clock, longest_s=LOOK_S + TURN_S)


def guarantee(config: Config) -> Delivery:
    """The promise while the outbox is on disk."""
    return Delivery.ACKNOWLEDGED if config.outbox.consumer is None else Delivery.CONFIRMED
