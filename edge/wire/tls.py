"""TLS: 1.2 or newer, the broker's name always verified; what went wrong, in words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from edge.core.errors import ConfigError
from edge.wire.settings import TlsSettings

# Verification codes of OpenSSL (x509_vfy.h).
_CERTIFICATE_FAULTS = {
    9: "the broker's certificate is not valid yet: check this machine's clock",
    10: "the broker's certificate has expired: renew it there (or check this machine's clock)",
    18: "the broker's certificate is signed by itself, not by a CA we know: give its CA as broker.tls.ca",
    19: "the broker's certificate comes from an unknown CA: give the right one as broker.tls.ca",
    20: "the broker's certificate comes from an unknown CA: give the right one as broker.tls.ca",
    21: "the broker's certificate comes from an unknown CA: give the right one as broker.tls.ca",
    23: "the broker's certificate has been revoked: it needs a new one",
    62: "the broker's certificate is for another host name: connect by the name it is made for",
    64: "the broker's certificate is for another address: connect by the name it is made for",
}

# Reasons of OpenSSL (sslerr.h) that a person can act on.
_HANDSHAKE_FAULTS = {
    "WRONG_VERSION_NUMBER": "the broker does not speak TLS on this port: check broker.port",
    "UNSUPPORTED_PROTOCOL": "the broker offers only TLS older than 1.2: update it",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the broker and edge share no TLS version (1.2 or newer is needed)",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the broker asks for a client certificate: set broker.tls.certificate and key",
    "TLSV1_ALERT_UNKNOWN_CA": "the broker does not know the CA of our client certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our client certificate has expired: renew it",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "our client certificate has been revoked",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the broker does not accept our client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the broker refused the TLS handshake; it may ask for a client certificate",
}


class TlsContext(ssl.SSLContext):
    """A context for one connection that can close what it wrapped: paho leaves the socket of a bad handshake open."""

    _wrapped: ssl.SSLSocket | None = None

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        self._wrapped = super().wrap_socket(*arguments, **options)
        return self._wrapped

    def close_socket(self) -> None:
        if self._wrapped is not None:
            self._wrapped.close()


def make_context(settings: TlsSettings) -> TlsContext:
    """A context that verifies the broker's certificate and name.

    Raises
    ------
    ConfigError
        A file is missing or not what it should be.
    """
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)  # this kind verifies the chain and the host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca is None:
        context.load_default_certs()
    else:
        _load_ca(context, settings.ca)
    if settings.certificate is not None and settings.key is not None:
        _load_identity(context, settings.certificate, settings.key, settings.key_password)
    return context


def failure_words(error: BaseException | None) -> str | None:
    """What went wrong in a TLS connection; None when the error is not of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_FAULTS.get(
            error.verify_code, f"the broker's certificate can't be trusted: {error.verify_message}"
        )
    if isinstance(error, ssl.SSLEOFError):
        return "the broker closed the connection during the TLS handshake"
    if isinstance(error, ssl.SSLError):
        return _HANDSHAKE_FAULTS.get(error.reason or "", f"the TLS connection failed: {error.reason or error}")
    return None


def alert_words(text: str) -> str | None:
    """The same for an error that arrives as text only: in TLS 1.3 the verdict on our certificate comes late."""
    return next(
        (words for reason, words in _HANDSHAKE_FAULTS.items() if reason in text.replace(" ", "_").upper()), None
    )


def _load_ca(context: TlsContext, ca: Path) -> None:
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError as error:
        raise ConfigError(
            f"broker.tls.ca {ca}: expected certificates in PEM format, found none that can be read"
        ) from error
    except OSError as error:
        raise ConfigError(f"broker.tls.ca {ca}: can't be read: {error.strerror}") from error


def _load_identity(context: TlsContext, certificate: Path, key: Path, key_password: str | None) -> None:
    for name, path in (("certificate", certificate), ("key", key)):
        try:
            path.open("rb").close()  # OpenSSL does not say which of the two it could not read
        except OSError as error:
            raise ConfigError(f"broker.tls.{name} {path}: can't be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password=key_password or _no_password)
    except ssl.SSLError as error:
        raise ConfigError(
            f"broker.tls: {certificate} and {key} do not make a pair that can be used: {error.reason or error}; "
            "expected a certificate and its own key in PEM format"
        ) from error


def _no_password() -> str:
    """Stands in OpenSSL's way: without it, it would ask on the terminal, and a service would hang."""
    raise ConfigError("broker.tls.key is encrypted: store it unencrypted as a credential, or give its password")
