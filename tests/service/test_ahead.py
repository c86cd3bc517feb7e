"""The model runs ahead: in order, without a loss, and its faults are heard."""

from __future__ import annotations

import threading

import pytest

from edge.core.errors import ModelError
from edge.core.values import Frame
from edge.service.ahead import Ahead
from edge.service.arrivals import Arrivals
from edge.service.news import CameraNews, CameraState
from tests.builders import make_frame

WAIT_S = 10.0


def test_frames_and_news_come_in_their_order_with_each_frame_run() -> None:
    arrivals, ran = Arrivals(("yard",)), []
    ahead = Ahead(arrivals, ran.append)
    news = CameraNews("yard", CameraState.ONLINE)

    arrivals.tell(news)
    arrivals.put(make_frame(sequence=1))
    taken = [ahead.take(WAIT_S), ahead.take(WAIT_S)]
    ahead.close()

    assert taken[0] is news
    assert taken[1] is ran[0]
    assert len(ran) == 1


def test_the_model_runs_on_the_next_frame_before_that_is_asked_for() -> None:
    arrivals, ran = Arrivals(("yard",)), [threading.Event(), threading.Event()]
    ahead = Ahead(arrivals, lambda frame: ran[frame.sequence].set())
    arrivals.put_and_wait(make_frame(sequence=0))
    first = ahead.take(WAIT_S)
    arrivals.put_and_wait(make_frame(sequence=1))

    assert isinstance(first, Frame)
    assert ran[1].wait(WAIT_S)
    ahead.close()


def test_a_fault_of_the_model_is_raised_where_its_frame_would_be_taken() -> None:
    arrivals = Arrivals(("yard",))

    def fail(frame: Frame) -> None:
        raise ModelError(f"frame {frame.sequence} failed")

    ahead = Ahead(arrivals, fail)
    arrivals.put(make_frame(sequence=3))

    with pytest.raises(ModelError, match="frame 3 failed"):
        ahead.take(WAIT_S)
    ahead.close()


def test_after_the_end_what_was_said_is_still_heard_and_nobody_waits() -> None:
    arrivals = Arrivals(("yard",))
    ahead = Ahead(arrivals, lambda _: None)
    arrivals.put(make_frame(sequence=0))
    ahead.take(WAIT_S)
    news = [CameraNews("yard", CameraState.OFFLINE), CameraNews("yard", CameraState.ENDED)]
    for one in news:
        arrivals.tell(one)

    ahead.close()
    heard = [ahead.take(WAIT_S), ahead.take(WAIT_S)]

    assert heard == news
    assert ahead.take(0) is None


def test_closing_before_anything_came_is_no_trouble() -> None:
    ahead = Ahead(Arrivals(("yard",)), lambda _: None)

    ahead.close()

    assert ahead.take(WAIT_S) is None
