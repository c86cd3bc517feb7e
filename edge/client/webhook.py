"""A POST for each event, to a web service of the user's choice."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from edge import __version__
from edge.client.deliveries import Delivery
from edge.client.hooks import HookError
from edge.core.errors import ConfigError, UsageError
from edge.wire.settings import is_loopback
from edge.wire.tls import failure_words

_ANSWER_LIMIT = 64 * 1024
_LONGEST_REST_S = 300.0


class Webhook:
    """Posts the event as JSON with its idempotency key; an answer of 200 to 299 means done. Redirects are not followed.

    Parameters
    ----------
    url : https, or http to this machine alone
    token : sent as ``Authorization: Bearer``
    ca : who vouches for the server; None = the authorities this system trusts
    """

    name = "webhook"

    def __init__(self, url: str, *, timeout_s: float, token: str | None = None, ca: Path | None = None) -> None:
        self._where, self._make, self._path = _read_url(url, timeout_s, ca)
        self._headers = {"Content-Type": "application/json", "User-Agent": f"edge/{__version__}"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def run(self, delivery: Delivery) -> None:
        connection = self._make()
        try:
            headers = {**self._headers, "Idempotency-Key": f'"{delivery.key}"'}
            connection.request("POST", self._path, body=delivery.payload, headers=headers)
            answer = connection.getresponse()
            answer.read(_ANSWER_LIMIT)
        except (OSError, http.client.HTTPException) as error:
            words = failure_words(error) or getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise HookError(f"{self._where}: {words}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            hint = "; a redirect is not followed, give the new address" if 300 <= answer.status < 400 else ""
            raise HookError(f"{self._where} answered {answer.status} {answer.reason}{hint}", after_s=_rest_s(answer))

    def stop(self) -> None:
        """Nothing to do: a request under way ends with this process."""


def _read_url(url: str, timeout_s: float, ca: Path | None) -> tuple[str, Callable[[], http.client.HTTPConnection], str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"--webhook: {error}; expected an address such as https://example.org/hook") from error
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("--webhook: expected an address such as https://example.org/hook")
    if parts.username is not None or parts.password is not None:
        raise UsageError("--webhook: a login does not belong into the address, where others see it; use a token file")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"--webhook: http goes to this machine alone, and {host} is another one; use https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    where = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    if parts.scheme == "http":
        return where, lambda: http.client.HTTPConnection(host, port, timeout=timeout_s), path
    context = _context(ca)
    return where, lambda: http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context), path


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"--webhook-ca {ca}: expected certificates in PEM format ({error})") from error


def _rest_s(answer: http.client.HTTPResponse) -> float | None:
    """What the server asks for, if it asks in seconds."""
    asked = answer.getheader("Retry-After", "")
    return min(_LONGEST_REST_S, float(asked)) if asked.isascii() and asked.isdigit() else None
