"""What one evaluation found: evidence by decoder, what failed, and what more repetitions would bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from evaluation.judging.comparison import Compared, compare
from evaluation.judging.cross_validation import CurvePoint
from evaluation.judging.evidence import Evidence
from evaluation.judging.figures import Figures, figures_of


@dataclass(frozen=True)
class Failure:
    """A session that could not be judged, and why."""

    folder: str
    reason: str


@dataclass(frozen=True)
class Group:
    """Sessions that one decoder, or one way of making and judging decoders, was judged on."""

    name: str
    evidence: tuple[Evidence, ...]

    @cached_property
    def pooled(self) -> Figures:
        """Figures of all its sessions together."""
        return figures_of(self.evidence)

    @cached_property
    def by_session(self) -> tuple[Figures, ...]:
        """Figures of each session by itself."""
        return tuple(figures_of([one]) for one in self.evidence)

    @property
    def of_training_data(self) -> bool:
        """Whether some of it was judged by what had taught it."""
        return any("TRAINING DATA" in remark for one in self.evidence for remark in one.remarks)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Parameters
    ----------
    title : str
        Of the report.
    evidence : tuple of Evidence
        Of every session and decoder.
    failures : tuple of Failure
        What could not be judged.
    curves : tuple of CurvePoint
        Learning curves.
    """

    title: str
    evidence: tuple[Evidence, ...]
    failures: tuple[Failure, ...] = ()
    curves: tuple[CurvePoint, ...] = ()

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """By decoder, and by gestures where sessions of one decoder's recipe differ in them."""
        found: dict[tuple[str, tuple[str, ...]], list[Evidence]] = {}
        for one in self.evidence:
            found.setdefault((one.decoder, one.gestures), []).append(one)
        return tuple(Group(self._name(key, list(found)), tuple(own)) for key, own in found.items())

    @staticmethod
    def _name(key: tuple[str, tuple[str, ...]], keys: Sequence[tuple[str, tuple[str, ...]]]) -> str:
        alone = sum(decoder == key[0] for decoder, _ in keys) == 1
        return key[0] if alone else f"{key[0]} ({', '.join(key[1])})"

    @cached_property
    def comparisons(self) -> tuple[Compared, ...]:
        """Every two decoders on the trials that both were judged on."""
        return compare(self.evidence)
