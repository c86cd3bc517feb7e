"""Two lists of events, side by side."""

from __future__ import annotations

from typing import Any

from edge.cli.difference import change_sentence, compare, sentence

Event = dict[str, Any]


def event(kind: str, at_ms: int, *, rule: str | None = None, track: int = 1, **more: Any) -> Event:
    why = [{"condition": "dwell_ms", "value": 2000, "threshold": 2000}]
    told = {"name": rule, "severity": "alert", "why": more.pop("why", why)}
    return {
        "seq": at_ms,
        "epoch": "any",
        "type": kind,
        "label": "person",
        "score": 0.8,
        "zones": [],
        "line": None,
        "track": {"id": track, "age_ms": 0},
        "rule": told if rule else None,
        "time": {"monotonic_ms": at_ms},
        **more,
    }


def test_the_same_events_under_other_numbers_are_no_difference() -> None:
    before = [event("track_start", 1000, track=1), event("track_start", 9000, track=2)]
    after = [event("track_start", 1000, track=5, epoch="else"), event("track_start", 9000, track=7)]

    difference = compare(before, after)

    assert difference.is_none
    assert difference.same == 2


def test_an_alert_that_is_gone_leaves_its_happening() -> None:
    difference = compare([event("track_start", 1000, rule="r")], [event("track_start", 1000)])

    assert [each["rule"]["name"] for each in difference.gone] == ["r"]
    assert (difference.new, difference.changed, difference.same) == ([], [], 1)


def test_a_zone_that_is_gone_changes_what_was_in_it_and_takes_only_its_own_events() -> None:
    before = [
        event("track_start", 1000, zones=["drive", "gate"]),
        event("zone_enter", 1000, zones=["drive"]),
        event("zone_enter", 1000, zones=["gate"]),
        event("track_end", 5000, zones=["drive"]),
    ]
    after = [
        event("track_start", 1000, zones=["gate"]),
        event("zone_enter", 1000, zones=["gate"]),
        event("track_end", 5000),
    ]

    difference = compare(before, after)

    assert [(each["type"], each["zones"]) for each in difference.gone] == [("zone_enter", ["drive"])]
    assert difference.new == []
    assert [(change.before["type"], change.facts) for change in difference.changed] == [
        ("track_start", ("zones",)),
        ("track_end", ("zones",)),
    ]


def test_a_line_that_is_gone_takes_its_crossings() -> None:
    line = {"name": "door", "direction": "in"}

    difference = compare([event("line_cross", 1000, line=line), event("track_end", 2000)], [event("track_end", 2000)])

    assert [each["type"] for each in difference.gone] == ["line_cross"]
    assert (difference.new, difference.changed, difference.same) == ([], [], 1)


def test_a_rule_that_looks_at_another_zone_is_not_the_same() -> None:
    before = [event("dwell", 2000, rule="r", zones=["drive"])]
    after = [event("dwell", 2000, rule="r", zones=["gate"])]

    difference = compare(before, after)

    assert not difference.is_none


def test_two_rules_about_one_happening_are_two_alerts_and_one_happening() -> None:
    both = [event("track_start", 1000, rule="a"), event("track_start", 1000, rule="b")]

    difference = compare(both, both[:1])

    assert [each["rule"]["name"] for each in difference.gone] == ["b"]
    assert difference.same == 2


def test_what_happens_a_little_later_is_changed_and_much_later_is_new() -> None:
    before = [event("dwell", 2000, rule="r"), event("dwell", 20_000, rule="r")]
    after = [event("dwell", 2300, rule="r"), event("dwell", 30_000, rule="r")]

    difference = compare(before, after)

    ((change,), (gone,), (new,)) = difference.changed, difference.gone, difference.new
    assert change.facts == ("time.monotonic_ms",)
    assert (gone["time"]["monotonic_ms"], new["time"]["monotonic_ms"]) == (20_000, 30_000)
    assert change_sentence(change).endswith("now time.monotonic_ms 2000 -> 2300")


def test_the_nearest_in_time_are_paired() -> None:
    before = [event("track_start", 1000), event("track_start", 1500)]
    after = [event("track_start", 1500), event("track_start", 2100)]

    difference = compare(before, after)

    assert difference.same == 1
    assert [each["time"]["monotonic_ms"] for each in difference.gone] == [1000]
    assert [each["time"]["monotonic_ms"] for each in difference.new] == [2100]


def test_another_threshold_is_told_by_its_name() -> None:
    why = [{"condition": "dwell_ms", "value": 2000, "threshold": 1500}]

    (change,) = compare([event("dwell", 2000, rule="r")], [event("dwell", 2000, rule="r", why=why)]).changed

    assert change.facts == ("rule.why.dwell_ms.threshold",)


def test_an_event_is_one_line_for_people() -> None:
    crossing = event("line_cross", 12_340, line={"name": "gate", "direction": "in"}, zones=["drive"])
    absence = event("absence", 5000, rule="nobody", label=None, track=0)

    assert sentence(crossing) == "   12.34 s  line_cross, person in drive over gate (in)"
    assert sentence(absence) == "    5.00 s  alert nobody: absence; dwell_ms 2000 >= 2000"
