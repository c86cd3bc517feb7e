"""A pulled file is whole and verified, or there is none; tried against a real server on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from edge.catalog.cards import ModelCard, Origin
from edge.catalog.download import Downloader, DownloadError, Progress, public_url
from edge.catalog.matching import matches_card
from edge.catalog.pull import pull_model
from edge.catalog.store import Library
from edge.core.clock import HandClock
from edge.core.errors import EdgeError, ModelError
from edge.core.model import Family
from tests.catalog import made_models as made
from tests.catalog.made_models import InProcessTrial

_CONTENT = made.ltrb().to_bytes()
_BLOB = hashlib.sha1(b"blob %d\0" % len(_CONTENT) + _CONTENT).hexdigest()  # as `git hash-object` names it


class _Server(BaseHTTPRequestHandler):
    """Misbehaves in the way the path says."""

    def do_GET(self) -> None:
        mode = self.path.strip("/").split("/")[0]
        if mode in {"404", "503"}:
            self.send_error(int(mode))
        elif mode == "moved":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/model.tflite")
            self.end_headers()
        elif mode == "circle":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif mode == "drip":
            self._drip()
        elif mode == "nowhere":
            self.close_connection = True
        else:
            self._send(mode)

    def _send(self, mode: str) -> None:
        content = {"page": b"<html>not the file</html>", "flipped": _CONTENT[:-1] + b"?"}.get(mode, _CONTENT)
        length = {"huge": 10**12, "short": len(content) * 2}.get(mode, len(content))
        self.send_response(200)
        if mode != "endless":
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)
        if mode == "endless":
            self.wfile.write(b"x" * 2_000_000)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        waiting = threading.Event()
        with contextlib.suppress(OSError):  # the client gives up
            for byte in _CONTENT[:200]:
                self.wfile.write(bytes([byte]))
                waiting.wait(0.02)

    def log_message(self, *_args: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def _card(**changes: object) -> ModelCard:
    origin = Origin(repository="some/where", commit="0" * 40, path="a/model.tflite", git_blob=_BLOB)
    card = ModelCard(
        name="pulled", summary="s", file="model.tflite", licence="Apache-2.0", origin=origin, labels=("a", "b", "c")
    )
    return msgspec.structs.replace(card, **changes)


def _quiet(_done: int, _total: int | None) -> None:
    return


def _fetch(mirror: str, folder: Path, *, card: ModelCard | None = None, progress: Progress = _quiet) -> Path:
    loader = Downloader(mirror=mirror, limit=1_000_000, silence_s=5)
    return loader.fetch(card or _card(), folder, progress=progress)


def test_a_file_is_fetched_and_verified_by_its_blob_id(server: str, tmp_path: Path) -> None:
    path = _fetch(f"{server}/good", tmp_path / "new folder")

    assert path.read_bytes() == _CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["model.tflite"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_is_verified_by_sha256_when_the_card_has_one(server: str, tmp_path: Path) -> None:
    good = _card(sha256=hashlib.sha256(_CONTENT).hexdigest())
    assert _fetch(f"{server}/good", tmp_path, card=good).is_file()

    with pytest.raises(ModelError, match="expected sha256"):
        _fetch(f"{server}/good", tmp_path / "other", card=_card(sha256="0" * 64))


def test_a_folder_serves_as_mirror(tmp_path: Path) -> None:
    folder = tmp_path / "my mirror"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(_CONTENT)

    for number, mirror in enumerate([str(folder), folder.as_uri(), f"file:{folder}", f"file://localhost{folder}"]):
        assert _fetch(mirror, tmp_path / f"here {number}").read_bytes() == _CONTENT


def test_a_folder_on_another_machine_is_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the host other"):
        _fetch("file://other/models", tmp_path)


@pytest.mark.parametrize("mirror", ["http://[::1", "http://127.0.0.1:8077/\n", "https://[bad]/x"])
def test_an_address_that_is_none_is_told(mirror: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no address"):
        _fetch(mirror, tmp_path)


def test_a_page_instead_of_the_file_is_named_as_one(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="web page"):
        _fetch(f"{server}/page", tmp_path)


def test_a_circle_of_redirects_is_told_in_one_line(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="302") as caught:
        _fetch(f"{server}/circle", tmp_path)

    assert "\n" not in str(caught.value)


def test_a_server_that_drips_bytes_is_given_up_between_two_of_them(server: str, tmp_path: Path) -> None:
    """A few bytes at a time never fill a chunk, and each comes within the time-out."""
    clock = HandClock()
    loader = Downloader(mirror=f"{server}/drip", clock=clock, total_s=10)

    with pytest.raises(DownloadError, match="not finished after 10 s"):
        loader.fetch(_card(), tmp_path, progress=lambda _done, _total: clock.advance(6))

    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_to_the_end(server: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    _fetch(f"{server}/good", tmp_path, progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (len(_CONTENT), len(_CONTENT))


@pytest.mark.parametrize(
    ("mode", "exit_code", "words"),
    [
        ("flipped", 78, "not the pinned file"),
        ("page", 78, "not the pinned file"),
        ("404", 78, "404"),
        ("503", 75, "503"),
        ("short", 75, "broke"),
        ("nowhere", 75, "model.tflite"),
        ("huge", 78, "more than the"),
        ("endless", 78, "more than the"),
        ("moved", 78, "expected https"),
    ],
)
def test_a_failure_is_told_and_leaves_nothing(
    mode: str, exit_code: int, words: str, server: str, tmp_path: Path
) -> None:
    with pytest.raises(EdgeError, match=words) as caught:
        _fetch(f"{server}/{mode}", tmp_path)

    assert caught.value.exit_code == exit_code
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_older_file_as_it_was(server: str, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"older")

    with pytest.raises(ModelError):
        _fetch(f"{server}/flipped", tmp_path)

    assert (tmp_path / "model.tflite").read_bytes() == b"older"


def test_no_network_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="--mirror"):
        _fetch("http://127.0.0.1:9", tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mirror", ["http://example.invalid/models", "ftp://127.0.0.1/models"])
def test_only_https_leaves_this_machine(mirror: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected https"):
        _fetch(mirror, tmp_path)


def test_an_interrupted_download_leaves_nothing(server: str, tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _fetch(f"{server}/good", tmp_path, progress=interrupt)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(server: str, tmp_path: Path) -> None:
    def fill(_done: int, _total: int | None) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(DownloadError, match="No space left"):
        _fetch(f"{server}/good", tmp_path, progress=fill)

    assert list(tmp_path.iterdir()) == []


def test_a_server_that_drips_is_given_up(server: str, tmp_path: Path) -> None:
    clock = HandClock()
    loader = Downloader(mirror=f"{server}/endless", clock=clock, total_s=10)

    with pytest.raises(DownloadError, match="not finished after 10 s"):
        loader.fetch(_card(), tmp_path, progress=lambda _done, _total: clock.advance(6))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(DownloadError, match="cannot be written"):
        _fetch(f"{server}/good", tmp_path / "file")


def test_the_public_address_pins_the_commit() -> None:
    origin = Origin(repository="some/where", commit="1" * 40, path="a b/model.tflite", git_blob=_BLOB)

    assert public_url(origin) == f"https://raw.githubusercontent.com/some/where/{'1' * 40}/a%20b/model.tflite"


def test_pulling_writes_the_full_card_beside_the_file(server: str, tmp_path: Path) -> None:
    loader = Downloader(mirror=f"{server}/good")

    pull_model(_card(), tmp_path, downloader=loader, trial=InProcessTrial(), progress=_quiet)

    model = Library((tmp_path,)).find("pulled", trial=InProcessTrial())
    assert model.layout.family is Family.LTRB
    assert model.labels == ("a", "b", "c")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model.tflite", "pulled.yaml"]


def test_a_file_that_is_there_and_right_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(_CONTENT)
    nowhere = Downloader(mirror=str(tmp_path / "no such mirror"))

    path = pull_model(_card(), tmp_path, downloader=nowhere, trial=InProcessTrial(), progress=_quiet)

    assert matches_card(path, _card()) == ""


def test_a_read_only_folder_is_told(server: str, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        folder = Path("/proc/no-such-folder")  # root may write anywhere else
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)

    with pytest.raises(DownloadError, match="cannot be written"):
        _fetch(f"{server}/good", folder)
