"""The newest frames in which something was found, for as long as it takes to ask for a picture of one of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.core.values import Detections, Frame
from edge.infer.snapshot import Corners, Image, encode, redact

# The service asks a few milliseconds after it was told what was found; the model may be two frames on by then.
_FRAMES = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Leaf:
    sequence: int
    image: Image
    hidden: tuple[Corners, ...]


class Album:
    """Frames of the cameras that publish pictures. Each is a copy: its slot belongs to somebody else soon.

    Parameters
    ----------
    redact : camera -> the classes that are made unrecognisable; cameras that are not named keep nothing
    """

    def __init__(self, redact: Mapping[str, Sequence[int]]) -> None:
        self._redact = {camera: frozenset(classes) for camera, classes in redact.items()}
        self._leaves: dict[str, deque[_Leaf]] = {camera: deque(maxlen=_FRAMES) for camera in redact}

    def keep(self, frame: Frame, found: Detections) -> None:
        """A frame has been looked at."""
        leaves = self._leaves.get(frame.camera)
        if leaves is None or not len(found):
            return
        classes = self._redact[frame.camera]
        things = zip(found.class_ids.tolist(), found.boxes.tolist(), strict=True)
        hidden = tuple((x1, y1, x2, y2) for class_id, (x1, y1, x2, y2) in things if class_id in classes)
        leaves.append(_Leaf(frame.sequence, frame.image.copy(), hidden))

    def picture(self, camera: str, sequence: int, hidden: Sequence[Corners]) -> bytes:
        """JPEG of a frame; empty when it is no longer here, or can't be made.

        ``hidden``: boxes in pixels that are made unrecognisable, beside what was found in the frame itself, however
        unsure the model was: who is known to be there may have been missed in this very frame.
        """
        for leaf in self._leaves.get(camera, ()):
            if leaf.sequence == sequence:
                try:
                    return encode(redact(leaf.image, (*leaf.hidden, *hidden)))
                except ValueError:
                    return b""
        return b""
