"""How long a stream may be silent, learnt from its own frames: a hang is found soon, a slow camera is let be."""

from __future__ import annotations

# Most cameras give a frame at least every 0.1 s; a lost packet on Wi-Fi costs up to a second.
_LEAST_S = 1.8
_BREAKS = 3.0  # so many times the longest break so far
_FEW = 3  # frames: a stream that is silent so soon after its first one may be slow, and not lost


class StreamPatience:
    """Asked at each connect, for the library is told then; times are monotonic.

    limit_s : how long the next frame may take
    """

    def __init__(self, longest_s: float) -> None:
        """
        Parameters
        ----------
        longest_s : never longer than this
        """
        self._longest_s = longest_s
        self._least_s = min(_LEAST_S, longest_s)
        self._break_s = 0.0
        self._frames = 0
        self._last_ns = 0

    @property
    def limit_s(self) -> float:
        return min(self._longest_s, max(self._least_s, _BREAKS * self._break_s))

    def connected(self) -> None:
        """A new connection: what came before is no break."""
        self._frames = 0

    def frame(self, now_ns: int) -> None:
        """Another frame."""
        if self._frames:
            self._break_s = max(self._break_s, (now_ns - self._last_ns) / 1e9)
        self._frames, self._last_ns = self._frames + 1, now_ns

    def lost(self) -> None:
        """No frame came within the limit."""
        if self._frames < _FEW:
            self._least_s = min(self._longest_s, 2 * self._least_s)
