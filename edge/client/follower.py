"""Stays connected: one connection after the other, with jitter between them."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from edge.client.addresses import Addresses
from edge.client.book import Book
from edge.client.confirmations import Confirmations
from edge.client.gaps import Gaps
from edge.client.intake import Intake
from edge.client.link import Link
from edge.client.notices import Notice, NoticeKind, Tell
from edge.client.replays import Replays
from edge.client.settings import ConsumerSettings
from edge.client.store import Store
from edge.client.trouble import StoreDamagedError, StoreError
from edge.core.errors import ConfigError
from edge.core.protocols import Clock
from edge.wire.comeback import Comeback
from edge.wire.connection import Connection
from edge.wire.packets import Hello, Version
from edge.wire.reasons import Cause, Ending
from edge.wire.settings import BrokerSettings, Pace
from edge.wire.tls import make_context
from edge.wire.wake import Wake

_NS_PER_S = 1_000_000_000
_DISK_REST_S = 1.0


class Follower:
    """``run`` does the work in a thread that the caller owns.

    on_stored : new events can be handed over
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        broker: BrokerSettings,
        store: Store,
        *,
        clock: Clock,
        pace: Pace,
        tell: Tell,
        on_stored: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._broker = broker
        self._store = store
        self._clock = clock
        self._pace = pace
        self._tell = tell
        self._on_stored = on_stored
        self._wake = Wake()
        self._is_leaving = False
        self._comeback = Comeback(pace)
        self._connected_ns: int | None = None
        self._last_words = ""
        addresses = Addresses(settings.device, settings.name)
        is_named = settings.name is not None
        book = Book(store, strict_order=settings.strict_order)
        self._intake = Intake(store, book, addresses, strict_order=settings.strict_order, tell=tell)
        self._confirmations = Confirmations(
            book, addresses, is_named=is_named, acknowledge_s=pace.acknowledge_s, clock=clock, tell=tell
        )
        replays = Replays(grace_s=settings.grace_s, longest_s=settings.longest_ask_s)
        self._gaps = Gaps(
            book, self._intake, replays, self._confirmations, addresses, is_named=is_named, clock=clock, tell=tell
        )
        self._book = book
        self._addresses = addresses
        self.connects = 0
        self.is_refused = False
        self.damage: StoreDamagedError | None = None

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._intake.counts)

    def wake(self) -> None:
        """There is room again, or a reason to leave."""
        self._wake.set()

    def leave(self) -> None:
        self._is_leaving = True
        self._wake.set()

    def run(self) -> None:
        """Follow until ``leave`` or until the file is damaged; never raises what a broker or a disk can cause."""
        try:
            self._load()
            while not self._is_leaving:
                self._pause(self._live_once())
        except StoreDamagedError as error:
            self.damage = error
            self._on_stored()  # whoever waits is to hear of it

    def _load(self) -> None:
        while not self._is_leaving:
            try:
                self._book.load()
            except StoreDamagedError:
                raise
            except StoreError as error:
                self._say(str(error))
                self._pause(_DISK_REST_S)
            else:
                return

    def _live_once(self) -> float:
        """One connection; returns how long to wait before the next."""
        self._connected_ns = None
        version = self._comeback.version
        try:
            context = None if self._broker.tls is None else make_context(self._broker.tls)
        except ConfigError as error:  # a certificate being renewed just now; open() has seen good ones
            self._say(str(error))
            return self._comeback.stumble_s()
        connection = Connection(
            self._broker, hello=self._hello(version), version=version, context=context, pace=self._pace
        )
        ending = self._link(connection, version).live()
        if ending.cause is Cause.CLOSED:
            return 0.0
        seconds = self._comeback.pause_s(ending, lived_s=self._lived_s())
        self._note_ending(ending)
        return seconds

    def _lived_s(self) -> float | None:
        if self._connected_ns is None:
            return None
        return (self._clock.monotonic_ns() - self._connected_ns) / _NS_PER_S

    def _link(self, connection: Connection, version: Version) -> Link:
        def welcome() -> None:
            self._connected_ns = self._clock.monotonic_ns()

        def following() -> None:
            self.connects += 1
            self.is_refused = False
            self._last_words = ""
            self._tell(Notice(NoticeKind.CONNECTED, f"connected to {self._broker.address}, MQTT {version.value}"))

        return Link(
            connection,
            filters=self._addresses.filters(),
            intake=self._intake,
            confirmations=self._confirmations,
            gaps=self._gaps,
            wake=self._wake,
            clock=self._clock,
            pace=self._pace,
            tell=self._tell,
            is_leaving=lambda: self._is_leaving,
            has_room=self._has_room,
            on_stored=self._on_stored,
            on_welcome=welcome,
            on_following=following,
        )

    def _hello(self, version: Version) -> Hello:
        if self._settings.name is None:
            return Hello(f"edge-watch-{secrets.token_hex(6)}")
        # never a clean start: mosquitto 2.0 forgets a session that began so when it restarts, whatever its expiry
        client_id = f"edge-consumer-{self._settings.name}"
        if version is Version.V311:
            return Hello(client_id, clean_start=False)
        return Hello(client_id, clean_start=False, session_expiry_s=self._settings.session_s, window=100)

    def _has_room(self) -> bool:
        count, size = self._store.amount()
        return count < self._settings.most_waiting and size < self._settings.most_waiting_bytes

    def _note_ending(self, ending: Ending) -> None:
        self.is_refused = ending.cause is Cause.REFUSED
        address = f"broker {self._broker.address}: "
        self._say(ending.words if ending.words.startswith(address) else address + ending.words)

    def _say(self, words: str) -> None:
        """Each trouble once until the next connection."""
        if words != self._last_words:
            self._last_words = words
            self._tell(Notice(NoticeKind.TROUBLE, words))

    def _pause(self, seconds: float) -> None:
        until_ns = self._clock.monotonic_ns() + round(seconds * _NS_PER_S)
        while not self._is_leaving:
            left_s = (until_ns - self._clock.monotonic_ns()) / _NS_PER_S
            if left_s <= 0:
                return
            self._wake.wait(min(left_s, 1.0))
            self._wake.clear()
