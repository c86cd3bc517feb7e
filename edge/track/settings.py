"""What a tracker is told: names, thresholds, patience. One set of defaults for every camera and frame rate."""

from __future__ import annotations

from dataclasses import dataclass

# A thing that shows up at half the score that was asked for is still the same thing; below a tenth there is only noise.
KEPT_SHARE = 0.5
LOWEST_KEPT = 0.1
DEFAULT_START_SCORE = 0.5
LEAST_EVIDENCE = 0.25


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Settings of one camera's tracker.

    labels : the model's labels, by class id
    start_scores : by class id, the score from which a detection may start a track; weaker ones only continue one.
        A class id past its end takes ``DEFAULT_START_SCORE``.
    confirm_evidence : what speaks for a new track adds up (see ``evidence``); from here on it is believed
    confirm_s : ... or when it was seen again this long after the first time: what low frame rates need
    lost_after_s : a track ends after so long out of sight, at the latest; one seen for less is awaited for less
    lost_after_s_still : the same for things that stood still: what hides them passes
    lost_frames : ... but never before so many frames without it
    still_after_s : a thing that kept its place for so long is stationary
    moving_after_s : a stationary thing that left its place for so long moves again
    """

    labels: tuple[str, ...]
    start_scores: tuple[float, ...] = ()
    confirm_evidence: float = 2.0
    confirm_s: float = 0.3
    lost_after_s: float = 2.0
    lost_after_s_still: float = 10.0
    lost_frames: int = 3
    still_after_s: float = 3.0
    moving_after_s: float = 0.5

    def start_score_of(self, class_id: int) -> float:
        """The score from which a detection of this class may start a track."""
        return self.start_scores[class_id] if 0 <= class_id < len(self.start_scores) else DEFAULT_START_SCORE

    def evidence(self, class_id: int, score: float) -> float:
        """What one detection says for a new track: 0.25 at the start score, 1.25 at certainty.

        Two detections near certainty confirm a track, or four half-way, or eight that barely count.
        """
        start = self.start_score_of(class_id)
        return LEAST_EVIDENCE + max(0.0, score - start) / max(1.0 - start, 1e-6)

    def label_of(self, class_id: int) -> str:
        """The label, or the number where the list has none."""
        return self.labels[class_id] if 0 <= class_id < len(self.labels) else str(class_id)


def kept_score(start_score: float) -> float:
    """The score from which a detection may continue a track that started at ``start_score``.

    Half of it, but not below 0.1 (nor above the start score itself, where that is lower). 0.5 -> 0.25, 0.15 -> 0.1.
    """
    return min(start_score, max(LOWEST_KEPT, start_score * KEPT_SHARE))
