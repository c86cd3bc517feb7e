"""Certificates before they go onto a card: a key that belongs to another one is found here and not on a roof."""

from __future__ import annotations

import ssl
from pathlib import Path


def authority_fault(path: Path) -> str | None:
    """What is wrong with a file of certificate authorities; None when it is good."""
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        return f"expected certificates in PEM form in {path}: {_reason(error)}"
    return None


def pair_fault(certificate: Path, key: Path) -> str | None:
    """What is wrong with a client's certificate and its private key; None when they belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # A key with a passphrase would ask for it on the terminal, and the camera has none.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError, ValueError) as error:
        return f"expected {certificate} and its private key without a passphrase in {key}: {_reason(error)}"
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        words = {"KEY_VALUES_MISMATCH": "the key belongs to another certificate"}
        return words.get(error.reason or "", "it can't be read as PEM")
    return getattr(error, "strerror", None) or str(error)
