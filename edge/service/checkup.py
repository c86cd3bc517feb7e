"""The self-tests of one version of the model: when the next is due, what it has to find, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.service.golden_book import GoldenBook
from edge.service.infer_letters import Ready, SelfTest, Tested

_NS_PER_S = 1_000_000_000
_EVERY_NS = 3600 * _NS_PER_S
# The first frames go first: that a file is the right one was seen before it was loaded.
_SETTLE_NS = 1 * _NS_PER_S


@dataclass(frozen=True, slots=True)
class Result:
    """fault : in words; None = all is well"""

    fault: str | None
    infer_ms: float


class Checkup:
    """All methods belong to one thread.

    fault : what the newest self-test found wrong, in words
    result : of the newest self-test that somebody asked for; taken by ``take_result``
    """

    def __init__(self, book: GoldenBook, *, boxes: str = "graph", twin_sha256: str | None = None) -> None:
        """
        Parameters
        ----------
        boxes : where the model is read: "graph" or "raw"
        twin_sha256 : of the CPU's version of an accelerator's model, by whose numbers it is measured
        """
        self._book = book
        self._boxes = boxes
        self._twin_sha256 = twin_sha256
        self._due_ns: int | None = None
        self._sent_ns: int | None = None
        self._well_since_ns: int | None = None
        self._is_asked = False
        self._result: Result | None = None
        self.fault: str | None = None

    def begin(self) -> None:
        """A new process: it is tested as soon as it has settled."""
        self._due_ns = self._sent_ns = self._well_since_ns = None

    def ask(self) -> None:
        """Somebody wants to know now."""
        self._is_asked, self._result = True, None

    def take_result(self) -> Result | None:
        """Of the test that was asked for, once."""
        result, self._result = self._result, None
        return result

    def is_due(self, now_ns: int) -> bool:
        """Whether it is time for a test; for a process that is ready."""
        if self._due_ns is None:
            self._due_ns = now_ns + _SETTLE_NS
        return self._sent_ns is None and (self._is_asked or now_ns >= self._due_ns)

    def waits_s(self, now_ns: int) -> float:
        """How long a test has been under way; 0 = none is."""
        return 0.0 if self._sent_ns is None else (now_ns - self._sent_ns) / _NS_PER_S

    def is_well_for(self, time_ns: int, now_ns: int) -> bool:
        """Whether the process has been well since a test so long ago."""
        return self._well_since_ns is not None and now_ns - self._well_since_ns >= time_ns

    def send(self, test: Callable[[SelfTest], bool], ready: Ready, now_ns: int) -> None:
        """Begin a test, unless one is under way."""
        if self._sent_ns is None and test(self._letter(ready)):
            self._sent_ns = now_ns

    def judge(self, tested: Tested, ready: Ready, now_ns: int) -> str | None:
        """What a test found wrong, in words; a good one is remembered as what is to be expected from now on."""
        self._sent_ns, self._due_ns = None, now_ns + _EVERY_NS
        self.fault = tested.fault
        if self._is_asked:
            self._is_asked, self._result = False, Result(tested.fault, tested.infer_ms)
        if tested.fault is not None:
            self._well_since_ns = None
            return tested.fault
        if self._well_since_ns is None:
            self._well_since_ns = now_ns
        if tested.golden is not None:
            self._book.put(ready.sha256, self._way(ready.backend), ready.runtime, tested.golden)
        if tested.twin_golden is not None and self._twin_sha256 is not None:
            self._book.put(self._twin_sha256, self._way("cpu"), ready.runtime, tested.twin_golden)
        return None

    def _letter(self, ready: Ready) -> SelfTest:
        twin = self._twin_sha256 and self._book.get(self._twin_sha256, self._way("cpu"), ready.runtime)
        own = self._book.get(ready.sha256, self._way(ready.backend), ready.runtime)
        # An accelerator's own first answer may have been as wrong as this one: its twin knows better.
        return SelfTest(twin, is_own=False) if twin else SelfTest(own, is_own=ready.backend == "cpu")

    def _way(self, backend: str) -> str:
        return backend if self._boxes == "graph" else f"{backend} {self._boxes}"
