"""A run's plan: its schedule, and what keeps two runs apart."""

from __future__ import annotations

import pytest

from edge.core.errors import ConfigError, UsageError
from tools.training.plan import Plan, differences, read_plan

PLAN = Plan(classes="person", pictures=32_000, checks=4)


def test_the_rate_warms_up_and_falls_to_a_fiftieth():
    assert PLAN.rate_at(0) < 0.02 * PLAN.rate
    assert PLAN.rate_at(150) == pytest.approx(PLAN.rate, rel=0.06)
    assert PLAN.rate_at(PLAN.steps) == pytest.approx(0.02 * PLAN.rate)


def test_with_a_cool_down_the_rate_is_flat_first_and_ends_the_same():
    plan = Plan(classes="person", pictures=32_000, cool_down=0.25)

    assert plan.rate_at(160) == plan.rate_at(750) == plan.rate
    assert plan.rate_at(875) == pytest.approx(0.51 * plan.rate)
    assert plan.rate_at(plan.steps) == pytest.approx(0.02 * plan.rate)


def test_the_last_step_is_checked():
    assert sorted(PLAN.check_steps) == [250, 500, 750, 1000]


def test_larger_batches_average_over_the_same_pictures():
    small, large = Plan(classes="a", batch=32), Plan(classes="a", batch=256)

    assert small.average_decay(10_000) ** 8 == pytest.approx(large.average_decay(10_000))


def test_what_two_plans_do_not_share_is_named():
    assert differences(PLAN, Plan(classes="person", pictures=32_000, checks=4, seed=1)) == ["seed: 0 -> 1"]


def test_a_plan_is_read_back(tmp_path):
    PLAN.write(tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json") == PLAN


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(ConfigError, match="expected the folder of a run"):
        read_plan(tmp_path / "plan.json")


def test_a_plan_of_another_version_is_told(tmp_path):
    (tmp_path / "plan.json").write_text('{"classes": "person", "backbone": "plain"}')

    with pytest.raises(ConfigError, match="another version of tools/train"):
        read_plan(tmp_path / "plan.json")


def test_what_an_older_plan_did_not_know_is_as_it_was(tmp_path):
    (tmp_path / "plan.json").write_text('{"classes": "person", "size": 320}')

    assert read_plan(tmp_path / "plan.json") == Plan(classes="person", size=320)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": 250}, "multiple of 32"),
        ({"weights": "coco"}, "source=number"),
        ({"pictures": 1}, "at least one batch"),
        ({"cool_down": 0.0}, "more than 0"),
        ({"network": "resnet"}, "expected one of plain, yolox"),
        ({"network": "yolox-nano", "width": 0.5}, "only --network plain comes in other widths"),
        ({"teacher": "yolox-nano.param"}, "only --network yolox-nano"),
    ],
)
def test_plans_that_cannot_be_run_are_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        Plan(classes="person", **wrong)
