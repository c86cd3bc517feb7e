from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edge.core.looking import is_file, is_folder, is_passing, why_missing


def test_what_is_there_is_seen_for_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"x")

    assert (why_missing(file), is_file(file), is_folder(file)) == (None, True, False)
    assert (why_missing(tmp_path), is_file(tmp_path), is_folder(tmp_path)) == (None, False, True)


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent", "nothing there"), ("n" * 300, "file name too long"), ("a\0b", "no possible name")],
)
def test_what_is_missing_is_told_in_words(name: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / name

    assert why_missing(path) == words
    assert not is_file(path)
    assert not is_folder(path)


def test_nothing_lies_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")

    assert why_missing(tmp_path / "file" / "below") == "nothing there"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENFILE, errno.EMFILE, errno.ENOMEM, errno.ESTALE])
def test_what_the_machine_lacks_just_now_may_pass(number: int) -> None:
    assert is_passing(OSError(number, "as the system says it"))


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EROFS, None])
def test_a_wrong_name_or_right_does_not_pass(number: int | None) -> None:
    assert not is_passing(OSError(number, "as the system says it"))
