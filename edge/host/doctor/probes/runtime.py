"""The library that runs models, tried with the model that is to run."""

from __future__ import annotations

from edge.catalog.store import find_model
from edge.catalog.trial import ChildTrial, Trial
from edge.core.errors import EdgeError
from edge.core.model import Model
from edge.host.doctor.values import Finding, Patient, broken, ok

_TRIAL_S = 40.0
_DEFAULT = "edge-default"


def look(patient: Patient) -> list[Finding]:
    return [judge(patient, ChildTrial(timeout_s=_TRIAL_S))]


def judge(patient: Patient, trial: Trial) -> Finding:
    """Run the model once, on the CPU."""
    try:
        model = _on_cpu(find_model(patient.model or _DEFAULT))
        done = trial.run(model.path)
    except EdgeError as error:
        found, _, fix = str(error).partition("; ")
        return broken(
            "runtime", found, fix or "edge models list shows what can run; `edge models inspect FILE` why not"
        )
    return ok("runtime", f"{done.runtime} {done.version}, ran the model {model.name}")


def _on_cpu(model: Model) -> Model:
    """Whether the accelerator works is the business of another probe."""
    return find_model(model.twin) if model.layout.backend == "edgetpu" and model.twin else model
