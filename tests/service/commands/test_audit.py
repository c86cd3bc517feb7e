"""The trail of commands: it goes on over restarts, shows what was changed, and stays small."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.clock import HandClock
from edge.service.commands.audit import BEGINNING, AuditTrail, Entry, broken_links


def write(file: Path, count: int, *, limit_bytes: int = 1 << 20) -> None:
    audit = AuditTrail(file, HandClock(), limit_bytes=limit_bytes)
    audit.open()
    for number in range(count):
        audit.write(Entry("done", "camera", f"t{number}"))


def lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "commands.jsonl"


def test_a_restart_goes_on_with_the_chain(file: Path) -> None:
    write(file, 3)
    write(file, 2)

    assert broken_links(lines(file)) == []
    assert f'"before":"{BEGINNING}"'.encode() in lines(file)[0]
    assert [line.split(b",")[0] for line in lines(file)] == [b'{"n":%d' % number for number in range(1, 6)]


def test_a_changed_line_shows(file: Path) -> None:
    write(file, 4)
    changed = lines(file)
    changed[1] = changed[1].replace(b'"t1"', b'"tX"')

    assert broken_links(changed) == [2, 3]


def test_a_missing_line_shows(file: Path) -> None:
    write(file, 4)
    kept = lines(file)
    del kept[1]

    assert broken_links(kept) == [2]


def test_a_line_that_a_power_cut_tore_does_not_spoil_the_next(file: Path) -> None:
    write(file, 2)
    file.write_bytes(file.read_bytes() + b'{"n":3,"at":"20')

    write(file, 1)

    assert broken_links(lines(file)) == [3]
    assert b'{"n":3,' in lines(file)[3]


def test_it_turns_over_at_its_bound_and_the_chain_goes_on(file: Path) -> None:
    write(file, 100, limit_bytes=4000)
    older = file.with_name("commands.jsonl.1")

    write(file, 1, limit_bytes=4000)

    assert file.stat().st_size <= 4000
    assert older.stat().st_size <= 4000
    assert sorted(path.name for path in file.parent.iterdir()) == ["commands.jsonl", "commands.jsonl.1"]
    assert broken_links(lines(older) + lines(file)) == []


def test_a_trail_that_can_not_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")

    with pytest.raises(OSError, match="state"):
        AuditTrail(tmp_path / "state" / "commands.jsonl", HandClock()).open()
