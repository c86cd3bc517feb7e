"""Whether a part of the frames that is worth a word goes wrong."""

from __future__ import annotations

from edge.service.condition.hold import Hold

_WINDOW_S = 1.0
_LEAST_FRAMES = 5
_SHARE = 0.2  # one broken frame in a while is every camera's; more than one in five costs sight
_OFF_S = 10.0


class MishapJudge:
    """Watches a count that grows with each frame gone wrong, in windows of a second and five frames at least."""

    def __init__(self) -> None:
        self._hold = Hold(0.0, _OFF_S)
        self._frames = 0
        self._count_before = 0
        self._since_s: float | None = None

    @property
    def is_on(self) -> bool:
        return self._hold.is_on

    def frame(self, count: int, now_s: float) -> None:
        """A good frame has come; ``count`` went wrong since the start (a restart of the count is seen as one)."""
        self._frames += 1
        if self._since_s is None or count < self._count_before:
            self._begin(count, now_s)
            return
        wrong = count - self._count_before
        all_frames = wrong + self._frames
        if now_s - self._since_s >= _WINDOW_S and all_frames >= _LEAST_FRAMES:
            self._hold.see(wrong > _SHARE * all_frames, now_s)
            self._begin(count, now_s)

    def reset(self) -> None:
        """Frames begin anew."""
        self._since_s = None
        self._hold.reset()

    def _begin(self, count: int, now_s: float) -> None:
        self._since_s, self._count_before, self._frames = now_s, count, 0
