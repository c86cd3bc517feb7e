"""`edge install` and `edge uninstall` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.flow.running import run_edge


def test_an_image_is_prepared_and_says_what_is_left_to_do(tmp_path: Path) -> None:
    done = run_edge("install", "--root", str(tmp_path), "--split")

    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/etc/systemd/system/edge-detector.service: written" in done.stdout
    assert f"systemctl --root={tmp_path} enable edge-detector.service" in done.stderr
    assert "edge.yaml" in done.stderr


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = run_edge("install", "--root", str(tmp_path), "--dry-run", "--json")

    told = json.loads(done.stdout)
    assert told["dry_run"]
    assert {file["deed"] for file in told["files"]} == {"written"}
    assert list(tmp_path.iterdir()) == []


def test_what_was_installed_is_taken_away_and_what_is_yours_is_named(tmp_path: Path) -> None:
    run_edge("install", "--root", str(tmp_path))
    (tmp_path / "etc/edge/edge.yaml").write_text("device: gate\n")

    done = run_edge("uninstall", "--root", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "etc/edge/edge.yaml"]
    assert f"rm -r {tmp_path}/etc/edge" in done.stderr


def test_an_empty_system_has_nothing_to_take_away(tmp_path: Path) -> None:
    assert "nothing of edge's is there" in run_edge("uninstall", "--root", str(tmp_path)).stdout


def test_beside_a_package_it_says_that_all_is_in_place(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/systemd/system").mkdir(parents=True)
    (tmp_path / "usr/lib/systemd/system/edge.service").touch()

    done = run_edge("install", "--root", str(tmp_path))

    assert done.returncode == 1
    assert "the Debian package has put everything in place" in done.stderr
    assert not (tmp_path / "etc").exists()


def test_a_program_without_its_whole_path_is_refused(tmp_path: Path) -> None:
    """systemd would refuse the unit, long after this command said that all was well."""
    done = run_edge("install", "--root", str(tmp_path), "--program", "venv/bin/edge")

    assert done.returncode == 2
    assert f"--program {Path.cwd()}/venv/bin/edge" in done.stderr
    assert list(tmp_path.iterdir()) == []
