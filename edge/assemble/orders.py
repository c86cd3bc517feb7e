"""What the processes of cameras and model are told to do, in letters that their assemblers alone can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from edge.core.model import InputLayout, Model


class SourceOrder(msgspec.Struct, frozen=True):
    """One camera's source. ``source`` may hold a login.

    folder : where relative paths begin
    redact : polygons that are made black, as parts of the picture
    """

    camera: str
    source: str
    folder: str
    size: tuple[int, int] | None
    fps: float | None
    rotate: int
    loop: bool
    is_paced: bool
    redact: tuple[tuple[tuple[float, float], ...], ...] = ()

    def __repr__(self) -> str:
        return f"SourceOrder(camera={self.camera!r})"  # never the login


class LookOrder(msgspec.Struct, frozen=True):
    """How a camera's process looks at its pictures: can be changed while it runs.

    model_input : where pictures are made small ahead, what for; None = they are not
    keeps_pictures : whether anybody needs more than the small ones
    has_gate : whether the model rests while nothing moves
    is_watched : whether anybody wants to know what pictures say about the camera
    ignored : polygons in which motion does not count
    keepalive_s : how long the model may rest while nothing moves
    finds_places : whether anybody has to know where something moves
    """

    model_input: InputLayout | None = None
    keeps_pictures: bool = True
    has_gate: bool = False
    is_watched: bool = True
    ignored: tuple[tuple[tuple[float, float], ...], ...] = ()
    keepalive_s: float = 2.0
    finds_places: bool = False


class InferOrder(msgspec.Struct, frozen=True):
    """What is to run, and how.

    twin : the CPU's version of an accelerator's model, for its self-test
    tiles : of each camera
    regions : of each camera that has any, how many of a frame at most
    is_ahead : the model runs on the next frame while the one before is read
    redact : of the cameras that publish pictures, the classes that are made unrecognisable
    """

    model: Model
    accelerator: str
    threads: int
    threshold: float
    boxes: Literal["graph", "raw"]
    tiles: dict[str, str]
    is_ahead: bool
    twin: Model | None = None
    redact: dict[str, tuple[int, ...]] = {}
    regions: dict[str, int] = {}


Order = TypeVar("Order", SourceOrder, LookOrder, InferOrder)


def encode_order(order: SourceOrder | LookOrder | InferOrder) -> bytes:
    """For the first letter."""
    return msgspec.msgpack.encode(order, enc_hook=_written)


def decode_order(content: bytes, kind: type[Order]) -> Order:
    """What was in the first letter."""
    return msgspec.msgpack.decode(content, type=kind, dec_hook=lambda wanted, value: wanted(value))


def _written(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)
