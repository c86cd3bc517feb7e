"""Black, burnt out, covered, out of focus: judged against what this camera usually shows."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.glance import LensFacts
from edge.service.condition.hold import Hold
from edge.service.condition.trouble import Trouble
from edge.service.condition.usual import Usual

# Told within 5 s; and not while somebody passes close before the lens, or the exposure finds its way.
_BLIND_S = 3.5
_COVERED_S = 4.0
_DEFOCUSED_S = 15.0  # a lens does not lose its focus for a moment; a person close to it takes the picture's for longer
_CLEAR_S = 1.0

_BLACK_PART = 0.98
_WHITE_PART = 0.9
# Night falls over minutes, a lens is covered at once: black is told where it was at least so bright a minute ago.
_LIT = 30.0
_LATELY_S = 60.0

_LEARN_S = 600.0  # dusk, fog and dirt come slowly and are followed
_KNOWN_S = 30.0  # after so long it is known how much there usually is to see
_SHARPNESS_KNOWN_S = 60.0
# Parts of the usual: of contrast, what a hand, a bag or paint leaves; of sharpness, what a lens turned a little leaves.
_COVERED_CONTRAST, _CLEAR_CONTRAST = 0.2, 0.35
_BLURRED, _SHARP = 0.45, 0.6
# Of the noise: what the usual sharpness must exceed, for its absence to show.
_LEAST_OVER_GRAIN = 0.7
# The usual edges must stand out of the noise at the brightness of now: below these levels they may only be hidden.
_LEAST_EDGE = 6.0
# Out of this range of the usual brightness, it is another picture (lamps, infra-red) whose sharpness is not known.
_ALIKE = (0.6, 1.7)


@dataclass(slots=True)
class _Holds:
    black: Hold
    overexposed: Hold
    covered: Hold
    defocused: Hold


class LensJudge:
    """One camera's lens. Learns only while nothing is wrong, so that trouble never becomes the usual."""

    def __init__(self) -> None:
        self._contrast = Usual(_LEARN_S)
        self._focus = Usual(_LEARN_S)
        self._brightness = Usual(_LEARN_S)
        self._lately = Usual(_LATELY_S)
        self._holds = _Holds(
            black=Hold(_BLIND_S, _CLEAR_S),
            overexposed=Hold(_BLIND_S, _CLEAR_S),
            covered=Hold(_COVERED_S, _CLEAR_S),
            defocused=Hold(_DEFOCUSED_S, _CLEAR_S),
        )

    def see(self, facts: LensFacts, *, is_still: bool, now_s: float) -> frozenset[Trouble]:
        """What is wrong now.

        Parameters
        ----------
        is_still : nothing has moved since the last look; a cover lies still, a person close to the lens does not
        """
        holds = self._holds
        is_black = holds.black.see(self._looks_black(facts), now_s)
        is_burnt = holds.overexposed.see(facts.bright >= _WHITE_PART, now_s)
        sees_light = not (is_black or is_burnt or self._is_blind(facts))
        is_covered = holds.covered.see(sees_light and self._looks_covered(facts, is_still=is_still), now_s)
        can_judge = sees_light and not is_covered and not holds.covered.is_doubted
        is_defocused = holds.defocused.see(can_judge and self._looks_blurred(facts), now_s)
        found = {
            Trouble.BLACK: is_black,
            Trouble.OVEREXPOSED: is_burnt,
            Trouble.COVERED: is_covered,
            Trouble.DEFOCUSED: is_defocused,
        }
        self._learn(facts, now_s)
        return frozenset(trouble for trouble, holds_now in found.items() if holds_now)

    def _is_blind(self, facts: LensFacts) -> bool:
        return facts.dark >= _BLACK_PART or facts.bright >= _WHITE_PART

    def _looks_black(self, facts: LensFacts) -> bool:
        if facts.dark < _BLACK_PART:
            return False
        return self._holds.black.is_on or self._lately.value is None or self._lately.value >= _LIT

    def _looks_covered(self, facts: LensFacts, *, is_still: bool) -> bool:
        usual = self._contrast.value
        if usual is None or self._contrast.seen_s < _KNOWN_S:
            return False
        if usual * facts.brightness < _LEAST_EDGE:
            return self._holds.covered.is_on  # nothing is known: what held, holds
        if self._holds.covered.is_on:
            return facts.contrast < _CLEAR_CONTRAST * usual
        return is_still and facts.contrast < _COVERED_CONTRAST * usual

    def _looks_blurred(self, facts: LensFacts) -> bool:
        usual, brightness = self._focus.value, self._brightness.value
        if usual is None or brightness is None or self._focus.seen_s < _SHARPNESS_KNOWN_S:
            return False
        is_alike = _ALIKE[0] <= (facts.brightness + 1) / (brightness + 1) <= _ALIKE[1]
        if not is_alike or usual < _LEAST_OVER_GRAIN * facts.grain:
            return self._holds.defocused.is_on  # nothing is known: what held, holds
        return facts.focus < (_SHARP if self._holds.defocused.is_on else _BLURRED) * usual

    def _learn(self, facts: LensFacts, now_s: float) -> None:
        holds = self._holds
        if not (holds.black.is_on or holds.black.is_doubted):
            self._lately.learn(facts.brightness, now_s)
        every = (holds.black, holds.overexposed, holds.covered, holds.defocused)
        if any(hold.is_on or hold.is_doubted for hold in every) or self._is_blind(facts):
            return
        self._contrast.learn(facts.contrast, now_s)
        self._brightness.learn(facts.brightness, now_s)
        if facts.focus >= _LEAST_OVER_GRAIN * facts.grain:
            self._focus.learn(facts.focus, now_s)
