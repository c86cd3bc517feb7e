"""Fetches a model file: whole and verified, or not at all."""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from edge.catalog.cards import ModelCard, Origin
from edge.catalog.content import MAX_BYTES
from edge.catalog.foreign import describe
from edge.catalog.matching import matches_card
from edge.core.clock import SystemClock
from edge.core.errors import EdgeError, ModelError
from edge.core.protocols import Clock

MIRROR_VARIABLE = "EDGE_MODEL_MIRROR"
_PUBLIC = "https://raw.githubusercontent.com"
_CHUNK = 64 * 1024
_SILENCE_S = 30.0  # connecting, and between two pieces
_TOTAL_S = 3600.0  # a server that drips would otherwise hold us for ever
_PART_PREFIX = ".edge-download-"
_BUSY = {408, 425, 429}

Progress = Callable[[int, int | None], None]


class DownloadError(EdgeError):
    """The network, the mirror or the disk failed; trying again may help."""

    exit_code = 75


def public_url(origin: Origin) -> str:
    """Where the repository serves this very version of the file."""
    path = urllib.parse.quote(origin.path)
    return f"{_PUBLIC}/{origin.repository}/{origin.commit}/{path}"


class Downloader:
    """Brings a card's file into a folder.

    mirror : a folder (as a path or a file: address) or an address that holds the files by name; None = the public
        origin
    """

    def __init__(
        self, *, mirror: str | None = None, limit: int = MAX_BYTES, silence_s: float = _SILENCE_S,
        total_s: float = _TOTAL_S, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._mirror = _without_file_scheme(mirror) if mirror else None
        self._limit = limit
        self._silence_s = silence_s
        self._total_s = total_s
        self._clock = clock or SystemClock()

    def fetch(self, card: ModelCard, folder: Path, *, progress: Progress) -> Path:
        """The file in ``folder``, verified. Nothing half-written stays behind, whatever happens.

        Raises
        ------
        DownloadError
            Network, mirror or disk.
        ModelError
            The content is not what the card promises, or nothing says where it is.
        """
        target = folder / Path(card.file).name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _temporary(folder) as (part, path):
                self._copy(card, part, progress)
                part.flush()
                os.fsync(part.fileno())
                self._check(path, card)
                path.chmod(0o644)
                path.replace(target)
            _sync_folder(folder)
        except OSError as error:
            raise DownloadError(f"{target} cannot be written: {error.strerror or error}") from error
        return target

    def _copy(self, card: ModelCard, part: IO[bytes], progress: Progress) -> None:
        if self._mirror is not None and "://" not in self._mirror:
            self._copy_local(Path(self._mirror) / Path(card.file).name, part, progress)
            return
        self._copy_remote(self._address(card), part, progress)

    def _address(self, card: ModelCard) -> str:
        if self._mirror is not None:
            return f"{self._mirror.rstrip('/')}/{urllib.parse.quote(Path(card.file).name)}"
        if card.origin is None:
            raise ModelError(f"card {card.name} names no origin; its file {card.file} comes with the program")
        return public_url(card.origin)

    def _copy_local(self, path: Path, part: IO[bytes], progress: Progress) -> None:
        if not path.is_file():
            raise DownloadError(f"the mirror folder has no file {path}; check --mirror or {MIRROR_VARIABLE}")
        with path.open("rb") as source:
            self._pour(source, part, total=path.stat().st_size, where=str(path), progress=progress)

    def _copy_remote(self, url: str, part: IO[bytes], progress: Progress) -> None:
        try:
            _check_scheme(url)
            with _opener(url).open(url, timeout=self._silence_s) as reply:
                stated = reply.headers.get("Content-Length", "")
                total = int(stated) if stated.isdigit() else None
                got = self._pour(reply, part, total=total, where=url, progress=progress)
        except urllib.error.HTTPError as error:
            raise _refused(url, error) from error
        except (http.client.InvalidURL, ValueError) as error:
            raise ModelError(f"{url!r} is no address: {error}; check --mirror or {MIRROR_VARIABLE}") from error
        except http.client.HTTPException as error:
            raise DownloadError(f"{url}: the answer broke off or makes no sense: {error!r}; try again") from error
        except TimeoutError as error:
            raise DownloadError(f"{url}: no answer within {self._silence_s:g} s; try again, or use --mirror") from error
        except urllib.error.URLError as error:
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise DownloadError(f"{url}: cannot be reached: {reason}. {_OFFLINE}") from error
        except OSError as error:
            if error.errno is not None and error.errno in _DISK_ERRORS:
                raise
            raise DownloadError(f"{url}: the connection broke: {error}; try again") from error
        if total is not None and got < total:
            raise DownloadError(f"{url}: the connection broke after {got} of {total} bytes; try again")

    def _pour(
        self, source: io.BufferedIOBase, part: IO[bytes], *, total: int | None, where: str, progress: Progress
    ) -> int:
        if total is not None and total > self._limit:
            raise ModelError(f"{where}: {total} bytes, more than the {self._limit} that are allowed")
        deadline = self._clock.monotonic_ns() + round(self._total_s * 1e9)
        got = 0
        # read1 returns what has come, however little: a whole chunk from a server that drips outlasts any deadline.
        while piece := source.read1(_CHUNK):
            got += len(piece)
            if got > self._limit:
                raise ModelError(f"{where}: more than the {self._limit} bytes that are allowed")
            if self._clock.monotonic_ns() > deadline:
                raise DownloadError(f"{where}: not finished after {self._total_s:g} s ({got} bytes); try again")
            part.write(piece)
            progress(got, total)
        return got

    def _check(self, path: Path, card: ModelCard) -> None:
        wrong = matches_card(path, card)
        if wrong:
            where = self._mirror or "the origin"
            with path.open("rb") as file:
                seems = describe(file.read(512))
            seems = f" It seems to be {seems}." if seems else ""
            raise ModelError(
                f"{card.name}: what came from {where} is not the pinned file: {wrong}.{seems} Nothing was kept"
            )


_OFFLINE = "Without a network, give a folder or address that holds the file: --mirror"
_DISK_ERRORS = {28, 30, 122}  # ENOSPC, EROFS, EDQUOT


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never off https."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: PLR0917 - urllib's
        try:
            _check_scheme(newurl)
        except ModelError:
            fp.close()  # the answer that redirects; urllib would leave its socket to the garbage collector
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Proxies as the environment says; none to this machine itself."""
    proxies = [urllib.request.ProxyHandler({})] if _is_loopback(url) else []
    opener = urllib.request.build_opener(_SafeRedirects, *proxies)
    opener.addheaders = [("User-Agent", "edge-models")]
    return opener


def _check_scheme(url: str) -> None:
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme == "https" or (scheme == "http" and _is_loopback(url)):
        return
    raise ModelError(f"{url}: expected https (plain http is allowed to this machine alone), found {scheme or 'none'}")


def _without_file_scheme(mirror: str) -> str:
    """file:///srv/models -> /srv/models; anything else as it is."""
    if not mirror.lower().startswith("file:"):
        return mirror
    parts = urllib.parse.urlsplit(mirror)
    if parts.netloc not in {"", "localhost"}:
        raise ModelError(f"{mirror}: expected file:///FOLDER on this machine, found the host {parts.netloc}")
    return urllib.parse.unquote(parts.path)


def _is_loopback(url: str) -> bool:
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(url: str, error: urllib.error.HTTPError) -> EdgeError:
    error.close()
    if error.code in _BUSY or error.code >= 500:
        return DownloadError(f"{url}: the server answers {error.code} {error.reason}; try again later")
    reason = " ".join(str(error.reason).split())  # urllib's own, for a circle of redirects, has several lines
    return ModelError(f"{url}: the server answers {error.code} {reason}; is the address or mirror right?")


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file in the target's own folder, so that the last step is one rename; gone if that is not reached."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=_PART_PREFIX, suffix=".part", delete=False) as part:
        path = Path(part.name)
        try:
            yield part, path
        finally:
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
