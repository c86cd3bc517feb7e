"""What every command has in common: a request with a transaction, and an answer or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec

from edge.core.errors import EdgeError

Transaction = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\A[!-~]+\Z")]
CameraName = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9_-]{1,64}\Z")]
LabelName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class RefusedError(EdgeError):
    """A command that is not carried out; its text is the answer."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """transaction : chosen by who asks, repeated in the answer"""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Later:
    """Something that takes a while.

    look : what the answer says besides; None = not yet; another one = that is to be looked at from now on. Raises
        RefusedError
    """

    look: Callable[[], dict[str, Any] | Later | None]


class Command(Protocol):
    """One thing that can be asked for."""

    @property
    def name(self) -> str: ...

    @property
    def request(self) -> type[Request]: ...

    def run(self, request: Any) -> dict[str, Any] | Later:
        """Do it; returns what the answer says besides, or where it will come from. Raises RefusedError."""


class _Asker(msgspec.Struct, frozen=True):
    transaction: Transaction


def read_request(payload: bytes, kind: type[Request]) -> Request:
    """Raises RefusedError with what was expected."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        keys = ", ".join(field.encode_name for field in msgspec.structs.fields(kind))
        raise RefusedError(f"expected JSON with {keys}: {str(error)[:200]}") from error


def transaction_of(payload: bytes) -> str:
    """The transaction of a request that is wrong otherwise, so that its answer finds who asked; else empty."""
    try:
        return msgspec.json.decode(payload, type=_Asker).transaction
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
