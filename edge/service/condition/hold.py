"""A yes or no that needs time to be believed, both ways."""

from __future__ import annotations


class Hold:
    """Becomes true once it was so for ``on_s`` without a break, and false once it was not for ``off_s``.

    Times are monotonic seconds; nothing happens between two ``see``.
    """

    def __init__(self, on_s: float, off_s: float) -> None:
        self._on_s = on_s
        self._off_s = off_s
        self._since_s: float | None = None  # when it was first seen to be otherwise than held
        self.is_on = False

    @property
    def is_doubted(self) -> bool:
        """What was seen last is not what holds."""
        return self._since_s is not None

    def see(self, is_so: bool, now_s: float) -> bool:
        """What holds now."""
        if is_so == self.is_on:
            self._since_s = None
            return self.is_on
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= (self._off_s if self.is_on else self._on_s):
            self.is_on, self._since_s = is_so, None
        return self.is_on

    def reset(self) -> None:
        """As it was at first."""
        self.is_on, self._since_s = False, None
