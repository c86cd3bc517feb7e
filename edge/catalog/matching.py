"""Whether a file is the very one that a card describes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.catalog.cards import ModelCard
from edge.catalog.content import unread

_CHUNK = 64 * 1024


def git_blob_id(content_length: int) -> hashlib._Hash:
    """A running git blob id: feed it the content."""
    return hashlib.sha1(b"blob %d\0" % content_length, usedforsecurity=False)


def matches_card(path: Path, card: ModelCard) -> str:
    """ "" if the file is the one the card means, else what differs. The card's sha256 counts, else its blob id."""
    sha256 = hashlib.sha256()
    try:
        blob = git_blob_id(path.stat().st_size)
        with path.open("rb") as source:
            for piece in iter(lambda: source.read(_CHUNK), b""):
                sha256.update(piece)
                blob.update(piece)
    except OSError as error:
        raise unread(f"{path} cannot be read", error) from error
    if card.sha256 is not None:
        found = sha256.hexdigest()
        return "" if found == card.sha256 else f"expected sha256 {card.sha256}, found {found}"
    if card.origin is not None:
        found = blob.hexdigest()
        return "" if found == card.origin.git_blob else f"expected git blob {card.origin.git_blob}, found {found}"
    return "the card has neither a sha256 nor an origin to check the file against"
