"""All that a run is at one step: kept in one file, so that a killed run goes on as if nothing had happened."""

from __future__ import annotations

import copy
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from edge.core.errors import ConfigError
from tools.training.backbones import Conv
from tools.training.classes import ClassPlan, parse_classes
from tools.training.networks import Network, make_network
from tools.training.plan import Plan, differences, plan_of

# No state of a random generator is among it: batch number n follows from the seed and n alone.


@dataclass(slots=True, eq=False)
class State:
    """step : batches done; losses, counted : since the last check; curve : one row a check.

    earlier : pictures seen by the run that this one started from; seconds : of training, that run's among them
    """

    network: Network
    average: Network
    optimiser: torch.optim.Optimizer
    losses: torch.Tensor
    step: int = 0
    counted: int = 0
    seconds: float = 0.0
    earlier: int = 0
    curve: list[dict[str, Any]] | None = None

    def follow(self, decay: float) -> None:
        """Let the averaged network follow the trained one; its counters are copied."""
        with torch.no_grad():
            mine, theirs = list(self.average.state_dict().values()), list(self.network.state_dict().values())
            real = [i for i, value in enumerate(mine) if value.dtype.is_floating_point]
            torch._foreach_lerp_([mine[i] for i in real], [theirs[i] for i in real], 1 - decay)
            for i in set(range(len(mine))) - set(real):
                mine[i].copy_(theirs[i])


def begin(plan: Plan, device: torch.device) -> State:
    """A new run: weights from the plan's seed alone."""
    torch.manual_seed(plan.seed)
    network = make_network(plan, len(parse_classes(plan.classes))).to(device).to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, Conv):
            module.is_rounded = bool(plan.rounded)
    average = copy.deepcopy(network).eval()
    return State(network, average, _optimiser(network, plan, device), torch.zeros(3, device=device), curve=[])


def _optimiser(network: Network, plan: Plan, device: torch.device) -> torch.optim.Optimizer:
    """AdamW; biases and normalisation are not pulled towards zero. ``share`` of a group: of the plan's rate."""
    groups = []
    inner = {id(p) for p in network.backbone.parameters()}
    learning = [p for p in network.parameters() if p.requires_grad]
    for share, is_inner in ((1.0, False), (plan.backbone_rate, True)):
        part = [p for p in learning if (id(p) in inner) == is_inner]
        matrices, vectors = [p for p in part if p.ndim > 1], [p for p in part if p.ndim <= 1]
        groups.append({"params": matrices, "weight_decay": plan.decay, "share": share})
        groups.append({"params": vectors, "weight_decay": 0.0, "share": share})
    return torch.optim.AdamW(groups, lr=plan.rate, fused=device.type == "cuda")


def save(state: State, plan: Plan, path: Path) -> None:
    """In one step: a kill leaves the old file or the new one."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "plan": asdict(plan),
            "network": state.network.state_dict(),
            "average": state.average.state_dict(),
            "optimiser": state.optimiser.state_dict(),
            "losses": state.losses.cpu(),
            "step": state.step,
            "counted": state.counted,
            "seconds": state.seconds,
            "earlier": state.earlier,
            "curve": state.curve,
        },
        part,
    )
    os.replace(part, path)  # noqa: PTH105


def load(plan: Plan, path: Path, device: torch.device) -> State:
    """Where the file left off. Raises ConfigError if it belongs to another plan."""
    kept, before = _read(path, "network", "optimiser")
    changed = differences(before, plan)
    if changed:
        raise ConfigError(
            f"{path}: the run that is kept there has another plan ({'; '.join(changed)}); use a new --out"
        )
    state = begin(plan, device)
    state.network.load_state_dict(kept["network"])
    state.average.load_state_dict(kept["average"])
    state.optimiser.load_state_dict(kept["optimiser"])
    state.losses, state.curve = kept["losses"].to(device), kept["curve"]
    state.step, state.counted, state.seconds = kept["step"], kept["counted"], kept["seconds"]
    state.earlier = kept.get("earlier", 0)
    return state


def save_weights(state: State, plan: Plan, path: Path) -> None:
    """The averaged network alone: what is exported, or started from."""
    part = path.with_suffix(".part")
    content = {
        "plan": asdict(plan),
        "average": state.average.state_dict(),
        "seen": state.earlier + state.step * plan.batch,
    }
    torch.save({**content, "seconds": state.seconds, "curve": state.curve}, part)
    os.replace(part, path)  # noqa: PTH105


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A trained network, ready to look. seen : pictures it has been trained on; seconds : of training."""

    network: Network
    plan: Plan
    classes: ClassPlan
    seen: int
    seconds: float
    curve: list[dict[str, Any]]


def load_weights(path: Path) -> Weights:
    """From a run's ``weights.pt`` or ``checkpoint.pt``. Raises ConfigError."""
    kept, plan = _read(path)
    classes = parse_classes(plan.classes)
    network = make_network(plan, len(classes))
    network.load_state_dict(kept["average"])
    return Weights(network.eval(), plan, classes, _seen(kept, plan), kept["seconds"], kept["curve"] or [])


def start_from(state: State, plan: Plan, path: Path) -> list[str]:
    """Take over the weights of another run where names and shapes agree; returns the names that stay new.

    Raises ConfigError for those of another network: of the few names that both have, each means another thing.
    """
    kept, before = _read(path)
    if before.network != plan.network:
        raise ConfigError(f"{path}: weights of --network {before.network}; this run has {plan.network}")
    theirs, mine = kept["average"], state.network.state_dict()
    fitting = {k: v for k, v in theirs.items() if k in mine and mine[k].shape == v.shape}
    state.network.load_state_dict({**mine, **fitting})
    state.average.load_state_dict(state.network.state_dict())
    state.earlier, state.seconds = _seen(kept, before), kept["seconds"]
    return sorted(set(mine) - set(fitting))


def _seen(kept: dict[str, Any], plan: Plan) -> int:
    """Pictures, those of the runs before among them; a checkpoint tells them in two parts."""
    return int(kept.get("seen", kept.get("earlier", 0) + kept.get("step", 0) * plan.batch))


def _read(path: Path, *needed: str) -> tuple[dict[str, Any], Plan]:
    """(what is kept, its plan). Raises ConfigError for files that others wrote, or lack what is needed."""
    try:
        kept = dict(torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; expected weights.pt or checkpoint.pt of a run") from None
    except Exception as error:  # torch raises what its reader meets: pickle, zip, runtime errors
        raise ConfigError(
            f"{path}: expected a file that tools/train wrote; {' '.join(str(error).split())[:200]}"
        ) from error
    missing = [name for name in ("plan", "average", "seconds", "curve", *needed) if name not in kept]
    if missing:
        raise ConfigError(f"{path}: expected a file that tools/train wrote; it has no {', '.join(missing)}")
    return kept, plan_of(kept["plan"], path)
