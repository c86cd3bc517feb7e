"""What a camera's process is told of how its pictures are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.assemble.model import find
from edge.assemble.orders import LookOrder, decode_order
from edge.assemble.sight import make_captures
from edge.capture.glancing import Glancer
from edge.capture.mishaps import Mishaps
from edge.config.values import Camera, Config, Origin, PictureCheck


def order_of(camera: Camera) -> LookOrder:
    config = Config(cameras={"yard": camera}, origin=Origin(Path.cwd() / "edge.yaml"))
    (capture,) = make_captures(config, find("edge-default").layout.input)
    return decode_order(capture.look, LookOrder)


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        (Camera(source="synthetic:"), False),
        (Camera(source="/dev/video0"), True),
        (Camera(source="synthetic:", picture_check=PictureCheck(lens=True)), True),
        (Camera(source="synthetic:", picture_check=PictureCheck(frozen_seconds=5.0)), True),
        (Camera(source="/dev/video0", picture_check=PictureCheck(lens=False, frozen_seconds=0.0)), False),
    ],
)
def test_pictures_are_looked_at_where_somebody_wants_to_know(camera: Camera, expected: bool) -> None:
    assert order_of(camera).is_watched is expected


def test_a_picture_that_is_passed_over_still_tells_what_went_wrong_before_it() -> None:
    mishaps = Mishaps()
    glancer = Glancer(mishaps=mishaps)
    mishaps.unreadable, mishaps.misdated = 3, 2

    glance = glancer.pass_over()

    assert (glance.unreadable, glance.misdated, glance.asks, glance.is_same) == (3, 2, True, False)
