"""Secrets, read when they are needed and from files alone; no message and no log ever holds one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge.config.values import Camera, SecretRef
from edge.core.errors import ConfigAwayError, ConfigError
from edge.core.looking import is_file, is_passing

MAX_SECRET_BYTES = 64 * 1024
CREDENTIALS = "CREDENTIALS_DIRECTORY"
_OTHERS = 0o077
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def read_secret(secret: SecretRef, purpose: str) -> str:
    """The secret, without the newline that ends its file.

    purpose : the key it stands for, such as ``broker.password``, for messages

    Raises
    ------
    ConfigError
        If it is missing, empty, too long, no text, or open to other users.
    """
    path = secret.file or _credential_path(secret, purpose)
    content = _read(path, purpose, is_private=secret.file is not None)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{purpose}: {path} is no UTF-8 text; write the secret alone into it") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigError(f"{purpose}: {path} is empty; write the secret into it")
    return text


def secret_path(secret: SecretRef, purpose: str) -> Path:
    """Where the secret lies, for libraries that read it themselves (a TLS key).

    Raises ConfigError if it is not there, or if others than its owner may touch the file.
    """
    if secret.file is not None:
        check_private(secret.file, purpose)
        return secret.file
    return _credential_path(secret, purpose)


def check_private(path: Path, purpose: str) -> None:
    """Raises ConfigError if the file is missing or if others than its owner may touch it."""
    _read(path, purpose, is_private=True)


def login_source(camera: Camera, purpose: str) -> str:
    """The source with the camera's login in it. It holds a secret: never log it. Raises ConfigError."""
    if camera.username is None:
        return camera.source
    login = _escaped(camera.username)
    if camera.password is not None:
        login += f":{_escaped(read_secret(camera.password, f'{purpose}.password'))}"
    scheme, _, rest = camera.source.partition("://")
    return f"{scheme}://{login}@{rest}"


def _credential_path(secret: SecretRef, purpose: str) -> Path:
    folder = os.environ.get(CREDENTIALS)
    if not folder:
        raise ConfigError(
            f"{purpose}: the credential {secret.credential} comes from systemd, and this process has none "
            f"(${CREDENTIALS} is not set); start the service, or use {{file: PATH}} outside it"
        )
    path = Path(folder) / str(secret.credential)
    if not is_file(path):
        raise ConfigError(
            f"{purpose}: systemd handed over no credential {secret.credential}; add "
            f"LoadCredential={secret.credential}:FILE to the unit (systemctl edit edge)"
        )
    return path


def _escaped(text: str) -> str:
    """Percent-encoded as a part of a login (RFC 3986, section 3.2.1)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def _read(path: Path, purpose: str, *, is_private: bool) -> bytes:
    # Owner and mode are asked of the open file, so that it can't be exchanged in between.
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            content = file.read(MAX_SECRET_BYTES + 1) if stat.S_ISREG(state.st_mode) else None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if is_passing(error):
            raise ConfigAwayError(f"{purpose}: {path} can't be read just now: {reason}; check the disk") from None
        raise ConfigError(f"{purpose}: {path} can't be read: {reason}; check the path and its owner") from None
    if content is None:
        raise ConfigError(f"{purpose}: {path} is no plain file; write the secret into one")
    if is_private and state.st_mode & _OTHERS:
        raise ConfigError(
            f"{purpose}: others may read or change {path} (mode {stat.S_IMODE(state.st_mode):03o}); "
            f"close it with `chmod 600 {path}`, and change the secret if others could read it"
        )
    if len(content) > MAX_SECRET_BYTES:
        raise ConfigError(f"{purpose}: {path} holds more than {MAX_SECRET_BYTES} bytes; write the secret alone into it")
    return content
