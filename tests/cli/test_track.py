"""``edge track``: detections in a file become tracks in a file."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli import main
from edge.cli.track import track


def walk(frames, *, score: float = 0.9, step: float = 4.0) -> str:
    return "".join(f"{f},-1,{100 + step * f},50,40,100,{score},-1,-1,-1\n" for f in frames)


def run(tmp_path, text: str | bytes, *options: str):
    path = tmp_path / "det.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = CliRunner().invoke(track, [str(path), *options], catch_exceptions=False)
    assert result.exit_code == 0
    return [line.split(",") for line in result.stdout.splitlines()]


def refuse(tmp_path, capsys, text: bytes) -> str:
    path = tmp_path / "det.txt"
    path.write_bytes(text)
    with pytest.raises(SystemExit) as ended:
        main(["track", str(path)])
    assert ended.value.code == 78
    return capsys.readouterr().err


def test_a_walker_is_one_track_in_motchallenge_format(tmp_path):
    rows = run(tmp_path, walk(range(1, 30)))

    assert {row[1] for row in rows} == {"1"}
    assert int(rows[0][0]) <= 4
    assert rows[-1][0] == "29"
    assert len(rows[0]) == 10
    assert float(rows[-1][2]) == pytest.approx(100 + 4 * 29, abs=3)
    assert [float(field) for field in rows[-1][4:6]] == [pytest.approx(40, abs=1), pytest.approx(100, abs=1)]


def test_a_short_gap_is_closed_by_a_straight_line(tmp_path):
    rows = run(tmp_path, walk([*range(1, 20), *range(25, 40)]))

    filled = [row for row in rows if 20 <= int(row[0]) <= 24]
    assert [int(row[0]) for row in filled] == [20, 21, 22, 23, 24]
    assert float(filled[2][2]) == pytest.approx(100 + 4 * 22, abs=4)


def test_online_writes_only_what_was_seen(tmp_path):
    rows = run(tmp_path, walk([*range(1, 20), *range(25, 40)]), "--online")

    assert not [row for row in rows if 20 <= int(row[0]) <= 24]
    assert {row[1] for row in rows} == {"1"}


def test_lines_may_come_in_any_order_with_blanks_comments_and_windows_ends(tmp_path):
    lines = walk(range(1, 30)).splitlines()
    text = "\ufeff# detections\r\n\r\n" + "\r\n".join(reversed(lines))

    assert run(tmp_path, text) == run(tmp_path, walk(range(1, 30)))


def test_a_score_of_minus_one_counts_as_certain(tmp_path):
    assert run(tmp_path, walk(range(1, 10), score=-1))


def test_scores_that_are_no_shares_count_by_their_rank(tmp_path):
    strong, weak = walk(range(1, 10), score=37.5), walk(range(20, 22), score=-3.5)

    told = run(tmp_path, strong + weak)

    assert {row[0] for row in told} == {str(frame) for frame in range(1, 10)}


def test_the_tracks_go_to_a_file_when_asked(tmp_path):
    out = tmp_path / "tracks.txt"

    assert run(tmp_path, walk(range(1, 10)), "--out", str(out)) == []
    assert out.read_text().startswith("1,1,")


def test_an_empty_file_has_no_tracks(tmp_path):
    assert run(tmp_path, "") == []


def test_a_pause_of_a_million_frames_is_no_wait(tmp_path):
    rows = run(tmp_path, walk(range(1, 10)) + walk(range(1_000_001, 1_000_010), step=0))

    assert {row[1] for row in rows} == {"1", "2"}


def test_online_tells_a_thing_from_when_it_was_believed_and_otherwise_from_its_first_sight(tmp_path):
    text = walk(range(1, 10))

    assert run(tmp_path, text)[0][0] == "1"
    assert run(tmp_path, text, "--online")[0][0] == "3"


def test_scores_below_the_threshold_start_nothing_and_it_says_so(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text(walk(range(1, 30), score=0.4))

    result = CliRunner().invoke(track, [str(path), "--threshold", "0.8"])

    assert result.stdout == ""
    assert "below the threshold 0.8" in result.stderr
    assert run(tmp_path, walk(range(1, 30), score=0.4), "--threshold", "0.3")


def test_who_names_no_threshold_gets_one_that_fits_the_detector(tmp_path):
    assert run(tmp_path, walk(range(1, 30), score=0.4))


def test_what_on_the_whole_stays_below_the_threshold_is_left_out_afterwards(tmp_path):
    doubtful = walk(range(1, 4), score=0.95) + walk(range(4, 30), score=0.5)

    assert run(tmp_path, doubtful, "--threshold", "0.8", "--online")
    assert not run(tmp_path, doubtful, "--threshold", "0.8")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"2,-1,abc,50,40,100,0.9", "line 2: expected a number, found 'abc'"),
        (b"2,-1,10,50", "line 2: expected frame,id,left,top,width,height"),
        (b"2,-1,10,50,0,100,0.9", "line 2: expected a width and height above 0"),
        (b"2.5,-1,10,50,40,100,0.9", "line 2: expected a frame number"),
        (b"-2,-1,10,50,40,100,0.9", "line 2: expected a frame number"),
        (b"2,-1,nan,50,40,100,0.9", "line 2: expected a number"),
        (b"2,-1,1e300,50,40,100,0.9", "line 2: expected a number"),
        (b"\xff\xfe\x00\x01", "found bytes that are no text"),
    ],
)
def test_a_bad_line_is_named_without_a_traceback(tmp_path, capsys, line, said):
    error = refuse(tmp_path, capsys, walk([1]).encode() + line + b"\n")

    assert "det.txt" in error
    assert said in error
    assert error.count("\n") == 1


def test_a_missing_file_is_wrong_usage(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["track", str(tmp_path / "none.txt")])

    assert ended.value.code == 2
    assert "none.txt" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_wrong_usage(tmp_path, capsys):
    path = tmp_path / "det.txt"
    path.write_text(walk(range(1, 10)))

    with pytest.raises(SystemExit) as ended:
        main(["track", str(path), "--out", str(tmp_path / "no" / "tracks.txt")])

    assert ended.value.code == 2
    assert "can't be written" in capsys.readouterr().err


def jittering(frames, rng) -> str:
    noise = rng.normal(0, 4, (1000, 4))
    return "".join(
        f"{f},-1,{100 + 4 * f + x:.2f},{50 + y:.2f},{40 + w:.2f},{100 + h:.2f},0.9,-1,-1,-1\n"
        for f in frames
        for x, y, w, h in [noise[f]]
    )


def test_a_way_told_afterwards_is_smoother_than_what_was_known_at_once(tmp_path):
    text = jittering(range(1, 80), np.random.default_rng(3))

    def error(*options: str) -> float:
        rows = run(tmp_path, text, *options)
        return float(np.mean([abs(float(left) - (100 + 4 * int(frame))) for frame, _, left, *_ in rows]))

    assert error() < 0.6 * error("--online")


def test_a_straight_way_stays_where_it_is_to_its_very_ends(tmp_path):
    rows = run(tmp_path, walk([*range(1, 20), *range(22, 40)]))

    for frame, _, left, _, width, *_ in rows:
        assert float(left) == pytest.approx(100 + 4 * int(frame), abs=1.5)
        assert float(width) == pytest.approx(40, abs=0.5)


@pytest.mark.parametrize("fps", ["0.5", "3", "1000"])
def test_any_frame_rate_keeps_every_sight(tmp_path, fps):
    rows = run(tmp_path, walk(range(1, 40), step=0.5), "--fps", fps)

    assert len({row[0] for row in rows}) >= 35
