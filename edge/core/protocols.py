"""The doors: what stands behind each can be exchanged, and each has a contract suite in ``tests/contracts``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from edge.core.values import Detections, Frame, Message, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray  # the publisher's process does without numpy

Answer = TypeVar("Answer")


class FrameSource(Protocol):
    """Where frames come from. Opening again after ``close`` is legal."""

    def open(self) -> None:
        """Take hold of the device or file; raises SourceError (away) or RecordingError (unreadable)."""

    def read(self) -> Frame | None:
        """The next frame; None when a recording has ended. Raises SourceError when the source is lost."""

    def close(self) -> None:
        """Let go; never raises, may be called twice."""


class Interpreter(Protocol):
    """Runs a model; knows nothing of what its numbers mean."""

    def invoke(self, values: Tensor) -> tuple[Tensor, ...]:
        """One input tensor in, the outputs in the file's order out.

        The outputs are copies: they stay valid after the next call. Raises ModelError.
        """


@runtime_checkable
class InPlaceInterpreter(Protocol):
    """An Interpreter that lends its own arrays, so that nothing is copied on the way in or out."""

    def invoke_in_place(
        self, fill: Callable[[NDArray[Any]], None], read: Callable[[tuple[Tensor, ...]], Answer]
    ) -> Answer:
        """Run once: ``fill`` writes the input, ``read`` looks at the outputs; its answer is the answer.

        fill : gets the input's array, holding what the call before left in it (anything, the first time)
        read : gets the outputs in the file's order

        Neither may keep an array, nor a view of one: they are the runtime's own. Raises ModelError.
        """


class Decoder(Protocol):
    """Reads the outputs of one model family."""

    def decode(self, outputs: tuple[Tensor, ...]) -> Detections:
        """Detections in model-input pixels, best first, after NMS."""


class Sink(Protocol):
    """A way out for messages."""

    def open(self) -> None:
        """Get ready; raises BrokerError or ConfigError."""

    def send(self, message: Message) -> None:
        """Take a message; returns without waiting for the network."""

    def close(self) -> None:
        """Deliver what can be delivered in a bounded time, then let go."""


class Clock(Protocol):
    """Time."""

    def monotonic_ns(self) -> int: ...

    def utc_now(self) -> datetime: ...

    def is_synced(self) -> bool: ...

    def boot_id(self) -> str: ...

    def sleep(self, seconds: float) -> None: ...
