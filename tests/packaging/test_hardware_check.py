"""The two-minute check on a real Pi: every part is told, a failing or hanging one too, and nothing private is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.packaging.targets import CHECKOUT

_EDGE = """#!/bin/sh
case "$1" in
  --version) echo "edge, version 9.9" ;;
  --help) echo "  doctor  Look at this machine" ;;
  doctor) echo '[{"name": "broker", "found": "192.168.1.77 rtsp://me:secret@10.0.0.1/s b8:27:eb:12:34:56"},'
    echo '{"name":"camera:yard","found":"cam.my-home.lan:554: no route to host","fix":"see: `ping cam.my-home.lan`"},'
    echo '{"name":"broker","found":"fd00:aaaa::17:8883 answers at 22:58:01","fix":"`getent hosts my-home.lan`"}]' ;;
  bench) echo '{"raw_fps": 40.5}'; exit ${BENCH_CODE:-0} ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "edge").write_text(_EDGE)
    (folder / "edge").chmod(0o755)
    return folder


def check(programs: Path, report: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHECKOUT / "tools/hardware-check"), "--out", str(report), "--seconds", "1"]
    values = os.environ | {"PATH": f"{programs}:/usr/bin:/bin"} | environment
    return subprocess.run(command, env=values, capture_output=True, text=True, check=False, timeout=60)


def test_the_report_has_the_machine_and_its_figures(programs: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"

    done = check(programs, report)

    text = report.read_text()
    assert done.returncode == 0, text
    for words in (
        "edge, version 9.9",
        "== machine",
        "== USB",
        "== doctor",
        '"raw_fps": 40.5',
        "0 part(s) did not end well",
    ):
        assert words in text


def test_addresses_and_logins_are_left_out(programs: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"

    check(programs, report)

    text = report.read_text()
    for private in ("192.168.1.77", "secret", "b8:27:eb", "my-home", "fd00"):
        assert private not in text
    for harmless in ("ADDRESS:554: no route to host", "answers at 22:58:01"):
        assert harmless in text


def test_a_part_that_fails_is_told_with_its_exit_code(programs: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"

    done = check(programs, report, BENCH_CODE="75")

    assert done.returncode == 1
    assert "-> exit code 75" in report.read_text()


def test_without_edge_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()

    done = check(tmp_path / "bin", tmp_path / "report.txt")

    assert done.returncode == 78
    assert "install the package first" in done.stderr
