"""A file that says whose it is: a first line with the digest of all that follows.

So an update replaces what nobody has touched, and leaves what somebody has; no list of files is kept anywhere.
"""

from __future__ import annotations

import hashlib

_MARK = "# Put here by `edge install`; changes in this file would keep it from being updated. "
_DIGITS = 16


def stamped(text: str) -> str:
    """The text under its stamp; for formats in which # begins a comment."""
    return f"{_MARK}[{_digest(text)}]\n{text}"


def is_untouched(content: str) -> bool:
    """Whether a file's content is as it was put there."""
    first, _, rest = content.partition("\n")
    return first.startswith(_MARK) and first.removeprefix(_MARK) == f"[{_digest(rest)}]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
