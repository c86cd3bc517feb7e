"""One connection of a consumer, from CONNECT to its end: takes in, acknowledges, confirms, asks for replay."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from edge.client.confirmations import Confirmations
from edge.client.gaps import Gaps
from edge.client.intake import Intake
from edge.client.notices import Notice, NoticeKind, Tell
from edge.client.trouble import StoreDamagedError, StoreError
from edge.core.errors import BrokerError
from edge.core.protocols import Clock
from edge.wire.connection import Connection
from edge.wire.packets import Incoming
from edge.wire.reasons import SUCCESS, Cause, Ending, refusal
from edge.wire.settings import Pace
from edge.wire.wake import Wake

logger = logging.getLogger(__name__)

MOST_HELD = 1000  # not acknowledged, in memory; MQTT 5 keeps a broker below it, 3.1.1 does not
_BATCH = 200
_LOOK_S = 0.2  # cursors and gaps are looked at this often
_STORE_REST_S = 1.0  # after a write that failed
_NS_PER_S = 1_000_000_000


class Link:
    """Lives on one connection until it ends or ``is_leaving``.

    Nothing is acknowledged that is not on disk, and nothing is read from the broker while there is no room.

    has_room : whether more may be stored
    on_welcome : the broker let us in
    on_following : and has our subscriptions; from now on nothing goes past us
    on_stored : new events can be handed over
    """

    def __init__(
        self,
        connection: Connection,
        *,
        filters: list[str],
        intake: Intake,
        confirmations: Confirmations,
        gaps: Gaps,
        wake: Wake,
        clock: Clock,
        pace: Pace,
        tell: Tell,
        is_leaving: Callable[[], bool],
        has_room: Callable[[], bool],
        on_stored: Callable[[], None],
        on_welcome: Callable[[], None],
        on_following: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._filters = filters
        self._intake = intake
        self._confirmations = confirmations
        self._gaps = gaps
        self._wake = wake
        self._clock = clock
        self._pace = pace
        self._tell = tell
        self._is_leaving = is_leaving
        self._has_room = has_room
        self._on_stored = on_stored
        self._on_welcome = on_welcome
        self._on_following = on_following
        self._held: deque[Incoming] = deque()
        self._rest_until_ns = 0
        self._is_stuck = False

    def live(self) -> Ending:
        """Connect, stay, and say how it ended; never raises what the network, the broker or a full disk can cause.

        Raises StoreDamagedError.
        """
        try:
            self._connection.open()
            return self._await_answer() or self._serve()
        except StoreDamagedError:
            raise
        except (BrokerError, StoreError) as error:
            return Ending(Cause.LOST, str(error))
        except Exception as error:  # whatever bytes a broker sends, following goes on with the next connection
            logger.debug("the connection broke", exc_info=True)
            return Ending(Cause.LOST, f"what the broker sent could not be read ({type(error).__name__}: {error})")
        finally:
            self._connection.drop()

    def _await_answer(self) -> Ending | None:
        deadline_ns = self._clock.monotonic_ns() + round(self._pace.acknowledge_s * _NS_PER_S)
        while self._connection.answer is None:
            if not self._connection.is_open:
                return self._connection.ending()
            if self._is_leaving():
                return Ending(Cause.CLOSED)
            if self._clock.monotonic_ns() >= deadline_ns:
                return Ending(Cause.LOST, f"the broker did not answer within {self._pace.acknowledge_s:g} s")
            self._connection.wait(self._wake, _LOOK_S)
        answer = self._connection.answer
        if answer.code != SUCCESS:
            return refusal(answer.code, "this consumer")
        self._on_welcome()
        self._confirmations.connected(answer.limits.window)
        self._gaps.connected()
        self._connection.subscribe(self._filters)
        return None

    def _serve(self) -> Ending:
        while self._connection.is_open:
            if self._is_leaving():
                self._confirmations.flush(self._connection)
                self._connection.disconnect()
                return Ending(Cause.CLOSED)
            self._connection.wait(self._wake, _LOOK_S)
            refused = self._refused_filters()
            if refused:
                return Ending(Cause.REFUSED, f"the broker refuses the subscription to {', '.join(refused)}")
            self._take_in()
            self._confirmations.settle(self._connection)
            if self._confirmations.flush(self._connection):
                self._gaps.look(self._connection)
            if self._confirmations.is_overdue():
                return Ending(Cause.LOST, f"no acknowledgement for {self._pace.acknowledge_s:g} s")
        return self._connection.ending()

    def _refused_filters(self) -> list[str]:
        for codes in self._connection.subscribed():
            refused = [topic for topic, code in zip(self._filters, codes, strict=False) if code >= 128]
            if refused:
                return refused
            self._on_following()
        return []

    def _take_in(self) -> None:
        self._held.extend(self._connection.received())
        while len(self._held) > MOST_HELD:
            self._held.popleft()  # not ours yet: the cursor does not pass over it, it comes again
        while self._held and self._clock.monotonic_ns() >= self._rest_until_ns and self._has_room():
            batch = [self._held[place] for place in range(min(_BATCH, len(self._held)))]
            if not self._store(batch):
                return
            for message in batch:
                self._held.popleft()
                self._connection.acknowledge(message)

    def _store(self, batch: list[Incoming]) -> bool:
        try:
            outcome = self._intake.take(batch)
            self._confirmations.due(outcome.moved)
            self._gaps.note(outcome)
        except StoreDamagedError:
            raise
        except StoreError as error:
            self._rest_until_ns = self._clock.monotonic_ns() + round(_STORE_REST_S * _NS_PER_S)
            if not self._is_stuck:
                self._tell(Notice(NoticeKind.TROUBLE, f"{error}; the devices keep their events meanwhile"))
            self._is_stuck = True
            return False
        if self._is_stuck:
            self._is_stuck = False
            self._tell(Notice(NoticeKind.TROUBLE, "the disk takes events again"))
        if outcome.heard:
            self._on_stored()
        return True
