"""``edge bench`` as a command: its keys, its table, its errors. Never its milliseconds: those belong to the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import edge

QUICK = ("--seconds", "0.5", "--wait", "0")
CONTRACT = {
    "model", "threads", "invoke_ms", "raw_fps", "pipeline_fps", "ratio", "cpu_ms_per_frame", "stages_ms", "pss_mb",
    "cold_start_s", "quiet",
}  # fmt: skip


@pytest.mark.parametrize("overlap", ["on", "off"])
def test_json_has_the_keys_that_scripts_rely_on(overlap: str) -> None:
    cold = "--cold-start" if overlap == "on" else "--no-cold-start"

    answer = edge("bench", *QUICK, "--overlap", overlap, cold, "--threads", "1", "--json")

    (report,) = answer.objects()
    assert answer.code == 0
    assert report.keys() >= CONTRACT
    assert (report["model"], report["threads"], report["frame_size"]) == ("edge-default", 1, [640, 480])
    assert report["invoke_ms"].keys() == {"p50", "p95"}
    assert {"capture", "preprocess", "infer", "decode", "track_and_tell"} <= report["stages_ms"].keys()
    assert all(one.keys() == {"p50", "p95"} for one in report["stages_ms"].values())
    assert all(report[key] > 0 for key in ("raw_fps", "pipeline_fps", "ratio", "cpu_ms_per_frame", "pss_mb"))
    assert isinstance(report["quiet"], bool)
    assert (report["cold_start_s"] is not None) == (overlap == "on")


def test_people_get_a_table_beside_the_record(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"model": "edge-default", "threads": 1, "pss_mb": 0.001, "cpu_ms_per_frame": 1e9}))

    answer = edge("bench", *QUICK, "--no-cold-start", "--threads", "1", "--against", record)

    assert answer.code == 1
    assert "the path keeps" in answer.out
    assert "The machine was" in answer.out
    rows = {line.split("  ")[1]: line for line in answer.out.splitlines() if line.endswith(("better", "WORSE"))}
    assert rows["pss_mb"].endswith("WORSE")
    assert rows["cpu_ms_per_frame"].endswith("better")


def test_scripts_get_the_comparison_too(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"model": "edge-default", "threads": 1, "pss_mb": 0.001}))

    answer = edge("bench", *QUICK, "--no-cold-start", "--threads", "1", "--against", record, "--json")

    (report,) = answer.objects()
    differences = {one["figure"]: one for one in report["against"]}
    assert answer.code == 1
    assert report.keys() >= CONTRACT
    assert (differences["pss_mb"]["recorded"], differences["pss_mb"]["verdict"]) == (0.001, "WORSE")
    assert differences["ratio"]["recorded"] is None


def test_a_wrong_record_is_told_before_the_long_work(tmp_path: Path) -> None:
    edge("bench", "--against", tmp_path / "nothing.json").assert_one_error(2, "--against", "nothing.json")


def test_a_source_that_is_not_there_is_one_line() -> None:
    answer = edge("bench", *QUICK, "--no-cold-start", "--source", "nothing.mp4")

    answer.assert_one_error(2, "--source", "nothing.mp4")
