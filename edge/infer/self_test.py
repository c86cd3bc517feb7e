"""The golden-picture self-test of a loaded model: are its numbers those that were expected?"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.errors import ModelError
from edge.infer.detector import Detector
from edge.infer.golden import SAME, TWIN, Golden, Tolerance, disagreement, golden_picture, implausible, observe


@dataclass(frozen=True, slots=True)
class Expected:
    """What the numbers should be.

    golden : None = nobody knows: two runs are compared with each other
    is_own : recorded from this very file on this backend; else from its twin, which rounds otherwise
    """

    golden: Golden | None = None
    is_own: bool = True

    @property
    def tolerance(self) -> Tolerance:
        return SAME if self.is_own else TWIN


@dataclass(frozen=True, slots=True)
class Verdict:
    """fault : in words; None = the model and what computes it are sound
    golden : what is to be expected of this file on this backend from now on; None where there is a fault
    """

    fault: str | None
    golden: Golden | None = None


def run_self_test(detector: Detector, expected: Expected) -> Verdict:
    """Run the model on the golden picture. Never raises: what can't run has failed."""
    layout = detector.model.layout
    picture = golden_picture(layout.input)
    try:
        outputs = detector.outputs_for(picture)
        again = detector.outputs_for(picture) if expected.golden is None else None
    except ModelError as error:
        return Verdict(str(error))
    fault = implausible(outputs)
    if fault is None and expected.golden is not None:
        fault = disagreement(expected.golden, outputs, layout, expected.tolerance)
    observed = observe(outputs, layout) if fault is None else None
    if observed is not None and again is not None:
        # What returns noise does not return the same noise twice.
        fault = disagreement(observed, again, layout, SAME)
    return Verdict(fault, None if fault else observed)
