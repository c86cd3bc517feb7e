"""The networks that a plan may ask for."""

from __future__ import annotations

from tools.training.csp import CspDetector
from tools.training.network import Detector
from tools.training.plan import Plan

Network = Detector | CspDetector


def make_network(plan: Plan, classes: int) -> Network:
    return CspDetector(classes) if plan.network == "yolox-nano" else Detector(classes, width=plan.width)
