"""References to secrets: where the secret lies, never the secret. No message repeats anything that was found here."""

from __future__ import annotations

import re
from pathlib import Path

from edge.config.nodes import Mapping, Node, Scalar
from edge.config.scalars import WrongValueError, is_empty
from edge.config.texts import parse_path
from edge.config.values import SecretRef

_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_FORMS = "`{credential: NAME}` (handed over by systemd) or `{file: PATH}` (a file that only its owner may read)"
_EXPECTED = f"expected a reference to a secret, {_FORMS}"


def read_secret_reference(node: Node) -> SecretRef:
    """``{credential: name}`` or ``{file: path}``; raises WrongValueError, whose text is the whole message."""
    if isinstance(node, Scalar):
        raise WrongValueError(
            f"{_EXPECTED}, found the secret itself, which is not shown here; "
            "move it into a file of mode 600 and name the file, and change it if others could read this one"
        )
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        raise WrongValueError(f"{_EXPECTED}, found something else; write one of the two")
    (kind, value), *_ = node.entries
    if kind.text not in ("credential", "file") or not isinstance(value, Scalar) or is_empty(value):
        raise WrongValueError(f"{_EXPECTED}, found other words; write one of the two")
    if kind.text == "file":
        return SecretRef(file=_path(value))
    if not _CREDENTIAL.fullmatch(value.text):
        raise WrongValueError(
            "expected a credential's name of letters, digits, `.`, `_` and `-`, as in LoadCredential=NAME:FILE"
        )
    return SecretRef(credential=value.text)


def read_key_reference(node: Node) -> Path | SecretRef:
    """The path of a key file, or a reference."""
    if not isinstance(node, Scalar):
        return read_secret_reference(node)
    if "-----BEGIN" in node.text or "\n" in node.text:
        raise WrongValueError(
            f"expected the path of a key file, or {_FORMS}, found the key itself; move it into a file of mode 600"
        )
    return _path(node)


def _path(scalar: Scalar) -> Path:
    try:
        return parse_path(scalar.text)
    except WrongValueError:
        raise WrongValueError("expected the path of a file, found something that is none") from None
