"""The cameras' pipelines: made for a configuration, and changed to the next one without a track or a timer lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from edge.assemble.pipeline import Shared, make_pipeline, make_telling
from edge.assemble.plan import Plan
from edge.assemble.rules import ledger_of, make_attention, make_layout, make_rule, time_zone
from edge.config.values import Camera
from edge.core.protocols import Clock
from edge.service.identity import Identities
from edge.service.pipeline import Pipeline, Witness
from edge.track.ledger import Ledger
from edge.track.rulebook import RuleBook
from edge.track.rules.view import Rule
from edge.track.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Scene:
    """One camera's pipeline, and what it was made of."""

    camera: Camera
    zone: tzinfo | None
    rules: Mapping[str, Rule]
    ledger: Ledger | None
    book: RuleBook
    pipeline: Pipeline


class Scenes:
    """Belongs to the thread of the service."""

    def __init__(self, identities: Identities, clock: Clock, witness: Witness) -> None:
        self._identities = identities
        self._clock = clock
        self._witness = witness
        self._labels: tuple[str, ...] = ()
        self._scenes: dict[str, Scene] = {}

    def change(self, plan: Plan, wanted: Mapping[str, Wanted], renewed: frozenset[str]) -> dict[str, Pipeline]:
        """The pipelines of a configuration.

        Parameters
        ----------
        wanted : what is in force
        renewed : cameras whose pictures are others than before: their pipelines begin anew
        """
        known = self._scenes if plan.model.labels == self._labels else {}
        self._labels = plan.model.labels
        self._scenes = {
            name: self._make(plan, name, wanted[name])
            if name in renewed or name not in known
            else self._adapt(known[name], plan, name, wanted[name])
            for name in plan.config.cameras
        }
        return {name: scene.pipeline for name, scene in self._scenes.items()}

    def _make(self, plan: Plan, name: str, wanted: Wanted) -> Scene:
        camera, zone, ledger = plan.config.cameras[name], time_zone(plan.config), ledger_of(plan.config, name)
        rules = {each: make_rule(each, words, wanted, zone) for each, words in camera.rules.items()}
        book = RuleBook(make_layout(camera, plan.model), tuple(rules.values()), ledger)
        pipeline = make_pipeline(
            name, camera, wanted=wanted, rules=book, shared=self._shared(plan), witness=self._witness
        )
        return Scene(camera, zone, rules, ledger, book, pipeline)

    def _adapt(self, scene: Scene, plan: Plan, name: str, wanted: Wanted) -> Scene:
        """The same pipeline, with what is new in the configuration."""
        camera, zone = plan.config.cameras[name], time_zone(plan.config)
        scene.pipeline.change_start_scores(wanted.start_scores)
        if (scene.camera, scene.zone) == (camera, zone):
            return scene
        kept = _kept_rules(scene, camera, zone)
        rules = {
            each: scene.rules[each] if each in kept else make_rule(each, words, wanted, zone)
            for each, words in camera.rules.items()
        }
        ledger = scene.ledger if camera.lines and scene.ledger else ledger_of(plan.config, name)
        fresh = (scene.rules.keys() | rules.keys()) - kept
        scene.book.change(make_layout(camera, plan.model), tuple(rules.values()), ledger, fresh=frozenset(fresh))
        telling = make_telling(name, camera, self._shared(plan))
        scene.pipeline.change(make_attention(camera, wanted, plan.model), telling)
        return Scene(camera, zone, rules, ledger, scene.book, scene.pipeline)

    def _shared(self, plan: Plan) -> Shared:
        return Shared(plan.model, plan.topics, self._identities, self._clock)


def _kept_rules(scene: Scene, camera: Camera, zone: tzinfo | None) -> set[str]:
    """The rules that mean what they meant: the same words about the same places."""
    before = scene.camera
    return {
        name
        for name, words in camera.rules.items()
        if before.rules.get(name) == words
        and (words.schedule is None or scene.zone == zone)
        and (words.zone is None or before.zones.get(words.zone) == camera.zones.get(words.zone))
        and (words.line is None or before.lines.get(words.line) == camera.lines.get(words.line))
    }
