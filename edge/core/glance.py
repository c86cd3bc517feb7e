"""What a cheap look at a frame found: numbers that cross from the process that sees pictures to the one that judges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LensFacts:
    """What a picture says about the lens in front of it; measured a few times a second.

    brightness : mean, 0..255
    dark, bright : parts of the picture, 0..1, that are as good as black, or burnt out
    contrast : of the clearest edges, as a part of the brightness: the same by day and by lamplight; 0 = no edge at all
    focus : how much fine detail there is for the picture's spread: halved by a slight blur
    grain : how much of it noise makes, which is taken off ``focus`` already; what is below it can't be seen
    """

    brightness: float
    dark: float
    bright: float
    contrast: float
    focus: float
    grain: float


Place = tuple[float, float, float, float]
"""A part of a picture: left, top, right, bottom, 0..1."""


@dataclass(frozen=True, slots=True)
class Glance:
    """One frame's numbers.

    changed : part of the watched picture, 0..1, that is not as it was in the last frame that asked for a look
    moved : enough of it to be something that moves
    asks : the model is to look: something moved, has just come to rest, or it is time for a look anyway
    is_same : pixel for pixel as the frame before
    lens : None between two measurements
    unreadable : frames so far that could not be decoded
    misdated : frames so far whose time stood still or ran backwards; their arrival counted instead
    moving : where something moves, that which moves most first; empty where nobody asked
    """

    changed: float = 0.0
    moved: bool = True
    asks: bool = True
    is_same: bool = False
    lens: LensFacts | None = None
    unreadable: int = 0
    misdated: int = 0
    moving: tuple[Place, ...] = ()
