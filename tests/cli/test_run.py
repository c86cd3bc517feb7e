"""How a run ends: the exit code and the last word, with a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Brokers, brokers_in
from tests.cli.command import Answer, edge

pytestmark = pytest.mark.broker


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Brokers]:
    yield from brokers_in(tmp_path)


def run(folder: Path, port: int) -> Answer:
    """A short scene, to the end."""
    config = folder / "edge.yaml"
    config.write_text(
        f"device: gate\nbroker: {{host: 127.0.0.1, port: {port}}}\n"
        "cameras: {yard: {source: 'synthetic:?seconds=1', pace: fast}}\n"
    )
    return edge("run", "--config", config)


def last_line(answer: Answer) -> str:
    assert "Traceback" not in answer.err, answer.err
    return answer.err.splitlines()[-1]


def test_a_run_whose_messages_all_arrived_ends_with_0(tmp_path: Path, brokers: Brokers) -> None:
    answer = run(tmp_path, brokers.start().port)

    assert answer.code == 0, answer.err


def test_a_broker_whose_access_list_forbids_a_topic_ends_a_run_with_75(tmp_path: Path, brokers: Brokers) -> None:
    (tmp_path / "acl").write_text("topic write edge/gate/status\ntopic write edge/gate/info\n")
    broker = brokers.start(f"acl_file {tmp_path}/acl")

    answer = run(tmp_path, broker.port)

    assert answer.code == 75
    assert last_line(answer).startswith("edge: ")
    assert "turned away" in last_line(answer)
    assert "access list" in last_line(answer)


def test_an_impatient_interrupt_while_libraries_load_is_one_line(tmp_path: Path) -> None:
    # numpy's own import turns an interrupt into an ImportError
    (tmp_path / "numpy.py").write_text(
        "import os, signal\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "except BaseException as error:\n"
        "    raise ImportError('numpy._core.multiarray failed to import') from error\n"
    )
    (tmp_path / "edge.yaml").write_text("cameras: {yard: {source: 'synthetic:'}}\n")

    answer = edge("run", "--config", tmp_path / "edge.yaml", first_on_path=tmp_path)

    answer.assert_one_error(130, "interrupted")
