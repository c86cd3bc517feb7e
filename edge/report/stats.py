"""How publishing goes, for health and for the exit code."""

from __future__ import annotations

import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drops:
    """Messages that will not arrive, by cause.

    overflow : events pushed out of a full queue, or topics beyond the board's bound
    disconnected : detections while there was no connection (the first attempt is waited for)
    expired : detections that grew old, or were pushed out by newer ones, on a slow connection
    oversize : larger than the broker takes
    denied : the broker's access list forbids the topic
    refused : the broker said no for another reason
    """

    overflow: int = 0
    disconnected: int = 0
    expired: int = 0
    oversize: int = 0
    denied: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class BrokerStats:
    """A look at one moment; counts are since start.

    protocol : "5" or "3.1.1" of the newest connection, None before the first
    connects : connections the broker welcomed
    delivered : QoS 1 messages the broker acknowledged and somebody subscribes to, as far as it says
    unheard : QoS 1 messages it acknowledged with "no matching subscriber"
    in_flight, waiting_events : QoS 1 messages under way; events in the queue
    is_refused : a person has to act (credentials, a second device of the same name)
    last_error : the newest trouble in words; it stays when it is over
    """

    is_connected: bool
    ever_connected: bool
    protocol: str | None
    connects: int
    delivered: int
    unheard: int
    drops: Drops
    in_flight: int
    waiting_events: int
    is_refused: bool
    last_error: str | None
    beat: int = 0


@dataclass(frozen=True, slots=True)
class EventStats:
    """Events of the outbox.

    unheard, denied, refused : kept and not delivered, as of now, by what the broker said
    delivered, ever_unheard : the first time that the broker took them, since start
    trimmed, dead : too large for the broker as they were, or at all, since start
    """

    unheard: int = 0
    denied: int = 0
    refused: int = 0
    delivered: int = 0
    ever_unheard: int = 0
    trimmed: int = 0
    dead: int = 0


class Ledger:
    """Written by the thread that publishes, read by any: every field is replaced as a whole."""

    def __init__(self) -> None:
        self.is_connected = False
        self.is_refused = False
        self.protocol: str | None = None
        self.connects = 0
        self.connected_ns = 0
        self.delivered = 0
        self.unheard = 0
        self.in_flight = 0
        self.beat = 0  # grows while the publishing thread works
        self.last_error: str | None = None
        self._told: set[str] = set()

    def connected(self, protocol: str, now_ns: int) -> None:
        self.is_connected = True
        self.is_refused = False
        self.protocol = protocol
        self.connects += 1
        self.connected_ns = now_ns
        self._told.clear()
        logger.info("connected to the broker, MQTT %s", protocol)

    def disconnected(self) -> None:
        self.is_connected = False
        self.in_flight = 0

    def deliver(self, *, is_heard: bool) -> None:
        if is_heard:
            self.delivered += 1
        else:
            self.unheard += 1

    def trouble(self, words: str, *, about: str | None = None) -> None:
        """Remember a trouble; the log gets each once until the next connection: a day's outage is a few lines.

        Parameters
        ----------
        about : what it is told once for, where the words differ from time to time
        """
        self.last_error = words
        about = about or words
        if about in self._told:
            logger.debug("again: %s", words)
            return
        self._told.add(about)
        logger.warning("%s", words)

    def snapshot(self, drops: Drops, *, waiting_events: int) -> BrokerStats:
        return BrokerStats(
            is_connected=self.is_connected,
            ever_connected=self.connects > 0,
            protocol=self.protocol,
            connects=self.connects,
            delivered=self.delivered,
            unheard=self.unheard,
            drops=drops,
            in_flight=self.in_flight,
            waiting_events=waiting_events,
            is_refused=self.is_refused,
            last_error=self.last_error,
            beat=self.beat,
        )
