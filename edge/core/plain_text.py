"""Text of others, fit for a terminal, a log and systemd."""

from __future__ import annotations


def plain_text(text: str) -> str:
    """One line; what a terminal would obey, or nobody can read, is a question mark: ``a\\x1b[2J`` -> ``a?[2J``."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
