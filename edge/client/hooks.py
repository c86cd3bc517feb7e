"""What is done with each event: hooks in turn, several devices at once, failures again after a rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from edge.client.consumer import Consumer
from edge.client.deliveries import Delivery
from edge.client.trouble import StoreDamagedError, StoreError
from edge.core.errors import EdgeError
from edge.core.protocols import Clock
from edge.wire.backoff import Backoff

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_POLL_S = 0.5
_ENDED_S = 1.0  # for threads whose hooks were ended just now
_DISK_FIRST_S, _DISK_LONGEST_S = 0.5, 10.0


class HookError(EdgeError):
    """A hook did not do its work this time.

    after_s : when to try again, where the other side has said so
    """

    def __init__(self, words: str, *, after_s: float | None = None) -> None:
        super().__init__(words)
        self.after_s = after_s


class HookStoppedError(HookError):
    """We are leaving: what the hook did so far is not known, and the next start runs it again."""


class HookBlockedError(HookError):
    """Something is in the way that has nothing to do with this event, as a full disk: tried until it works."""


class Hook(Protocol):
    """Does something with an event."""

    name: str

    def run(self, delivery: Delivery) -> None:
        """Raises HookError when it did not work; must end within its own time-out."""

    def stop(self) -> None:
        """We leave now: end what would live on."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """attempts : then the event is set aside until the next start, and the next one goes on."""

    attempts: int = 10
    first_s: float = 1.0
    longest_s: float = 60.0


@dataclass(slots=True)
class _Attempt:
    """What has been done so far for one event: a hook that has worked is not run again in this process."""

    backoff: Backoff
    finished: set[str] = field(default_factory=set)
    failures: int = 0


class Workers:
    """A few threads that take events and run the hooks. One device's events never overtake one another.

    at_once : devices whose hooks run at the same time
    limit : finish so many and no more; None = no end
    """

    def __init__(
        self,
        consumer: Consumer,
        hooks: Sequence[Hook],
        *,
        at_once: int,
        retrying: Retrying,
        clock: Clock,
        limit: int | None = None,
    ) -> None:
        self._consumer = consumer
        self._hooks = hooks
        self._retrying = retrying
        self._clock = clock
        self._attempts: dict[str, _Attempt] = {}  # by device: one event of each is in hand
        self._is_stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"edge-hook-{number}", daemon=True) for number in range(at_once)
        ]
        self._counting = threading.Lock()
        self._left = limit
        self.finished = 0
        self.failures = 0
        self.error: BaseException | None = None

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take nothing new; what runs may end within the time, and then is ended."""
        self._is_stopping.set()
        self._join(timeout_s)
        for hook in self._hooks:
            hook.stop()
        self._join(_ENDED_S)

    def _join(self, timeout_s: float) -> None:
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        for thread in self._threads:
            thread.join(max(0.0, (deadline_ns - self._clock.monotonic_ns()) / 1e9))

    def _work(self) -> None:
        try:
            while not self._is_stopping.is_set():
                if self._reserve():
                    delivery = self._patient(lambda: self._consumer.take(_POLL_S))
                    if delivery is None or not self._handle(delivery):
                        self._give_back()
                else:
                    self._is_stopping.wait(_POLL_S)
        except Exception as error:  # noqa: BLE001 - whatever it is, the command ends with it, never in silence
            self.error = error

    def _patient(self, work: Callable[[], Result]) -> Result | None:
        """Do something with the file, again and again while the disk refuses; None when we leave before it worked."""
        backoff, is_told = Backoff(first_s=_DISK_FIRST_S, longest_s=_DISK_LONGEST_S), False
        while True:
            try:
                result = work()
            except StoreDamagedError:
                raise
            except StoreError as error:
                if not is_told:
                    logger.error("%s; tried again until it works, and nothing is lost meanwhile", error)
                is_told = True
            else:
                if is_told:
                    logger.warning("the disk takes it again")
                return result
            if self._is_stopping.wait(backoff.next_s()):
                return None

    def _reserve(self) -> bool:
        """Whether one more may be handled."""
        with self._counting:
            if self._left is None:
                return True
            self._left -= 1
            if self._left < 0:
                self._left = 0
                return False
            return True

    def _give_back(self) -> None:
        with self._counting:
            self._left = None if self._left is None else self._left + 1

    def _handle(self, delivery: Delivery) -> bool:
        """Run the hooks that have not worked yet; whether the event is finished."""
        attempt = self._attempts.setdefault(delivery.device, self._fresh_attempt())
        for hook in self._hooks:
            if hook.name in attempt.finished:
                continue
            try:
                hook.run(delivery)
            except HookStoppedError as error:
                logger.warning("%s: %s; the next start runs it again", delivery.key, error)
                return False
            except HookError as error:
                self._note_failure(delivery, attempt, hook, error)
                return False
            attempt.finished.add(hook.name)
        del self._attempts[delivery.device]

        def strike_out() -> bool:
            self._consumer.done(delivery)
            return True

        if not self._patient(strike_out):
            return False
        with self._counting:
            self.finished += 1
        return True

    def _note_failure(self, delivery: Delivery, attempt: _Attempt, hook: Hook, error: HookError) -> None:
        is_ours = isinstance(error, HookBlockedError)
        attempt.failures += not is_ours
        with self._counting:
            self.failures += not is_ours
        if attempt.failures >= self._retrying.attempts:
            logger.error(
                "%s: %s, %d times: set aside; the next start tries it again", delivery.key, error, attempt.failures
            )
            del self._attempts[delivery.device]
            self._patient(lambda: self._consumer.fail(delivery))
            return
        rest_s = error.after_s if error.after_s is not None else attempt.backoff.next_s()
        logger.warning("%s: %s: %s; again in %.0f s", delivery.key, hook.name, error, rest_s)
        self._consumer.retry(delivery, rest_s)

    def _fresh_attempt(self) -> _Attempt:
        return _Attempt(Backoff(first_s=self._retrying.first_s, longest_s=self._retrying.longest_s))
