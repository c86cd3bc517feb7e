"""What a bare word means in YAML 1.1, and where that surprises.

Values are read by what their key expects, from the text as written; where other YAML readers would take the same
text for something else, it is refused with the reason instead of guessed.
"""

from __future__ import annotations

import re

from edge.config.nodes import Mapping, Node, Scalar, Sequence
from edge.config.problems import shown_text

TRUE = re.compile(r"true|True|TRUE|yes|Yes|YES|on|On|ON")
FALSE = re.compile(r"false|False|FALSE|no|No|NO|off|Off|OFF")
PLAIN_NUMBER = re.compile(r"[-+]?(0|[1-9]\d{0,18}|(?=\.\d))(\.\d{0,30})?([eE][-+]?\d{1,3})?")
WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9]\d{0,18})")
_NULL = re.compile(r"|~|null|Null|NULL")
_CLOCK = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")
_ODD_WHOLE = re.compile(r"[-+]?(0[\d_]+|0o[0-7_]+|0x[\da-fA-F_]+|0b[01_]+|\d[\d_]*)")
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)


class WrongValueError(Exception):
    """A value that does not fit; the text says what to write instead, and may be empty."""

    def __init__(self, hint: str = "", found: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint
        self.found = found


def is_empty(node: Node) -> bool:
    """Whether nothing stands behind the key (YAML reads null)."""
    return isinstance(node, Scalar) and not node.quoted and _NULL.fullmatch(node.text) is not None


def found_words(node: Node) -> str:
    """What stands there, for "found ..."."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a section of keys"
    if is_empty(node):
        return "nothing"
    if not node.quoted and (TRUE.fullmatch(node.text) or FALSE.fullmatch(node.text)):
        return f"the switch {node.text}"
    if not node.quoted and PLAIN_NUMBER.fullmatch(node.text):
        return node.text
    return shown_text(node.text)


def read_text(scalar: Scalar) -> str:
    """The text, unless YAML 1.1 means something else by it. Raises WrongValueError with the reason."""
    trap = None if scalar.quoted else _text_trap(scalar.text)
    if trap:
        raise WrongValueError(
            f"YAML reads {shown_text(scalar.text)} as {trap}: put quotes around it if you mean the text"
        )
    return scalar.text


def number_trap(text: str) -> str | None:
    """Why a text that looks like a number is none to rely on."""
    if _NOT_FINITE.fullmatch(text):
        return "write a finite number"
    if _CLOCK.fullmatch(text):
        return "YAML reads a:b as a number to base 60: write seconds or hours as one number"
    if _ODD_WHOLE.fullmatch(text) and not WHOLE_NUMBER.fullmatch(text):
        return "YAML reads a leading 0 or 0x as another base: write the plain decimal number"
    return None


def _text_trap(text: str) -> str | None:
    if TRUE.fullmatch(text):
        return "the switch true"
    if FALSE.fullmatch(text):
        return "the switch false"
    if _CLOCK.fullmatch(text):
        return "a number to base 60"
    if _ODD_WHOLE.fullmatch(text) or PLAIN_NUMBER.fullmatch(text) or re.fullmatch(r"[-+]?\.(nan|inf)", text.lower()):
        return "a number"
    return None
