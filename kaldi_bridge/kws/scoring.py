"""How well keywords were found: term-weighted values (kws/kws-scoring.cc).

With T seconds of sound and n_k places where keyword k is said, of which c_k were found with a score of at least a
threshold, and f_k others found, too, its value is  c_k / n_k - beta f_k / (T - n_k),  and that of all the mean over
keywords that are said somewhere; beta = cost_fa / value_corr (1 / prior - 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import option

DECIDED = np.float32(0.5)  # from which score on the lists say YES


@dataclass
class AlignerOptions:
    """Kaldi's KwsTermsAlignerOptions."""

    max_distance: int = option(
        50, "Max distance on the ref and hyp centers to be considered as a potential match", name="max_distance"
    )


@dataclass
class TwvOptions:
    """Kaldi's TwvMetricsOptions."""

    cost_fa: float = option(0.1, "The cost of an incorrect detection")
    value_corr: float = option(1.0, "The value (gain) of a correct detection")
    prior_kw_probability: float = option(1e-4, "The prior probability of a keyword")
    score_threshold: float = option(0.5, "The score threshold for computation of ATWV")
    sweep_step: float = option(0.05, "Size of the bin during sweeping for the oracle measures")

    @property
    def beta(self) -> float:
        return self.cost_fa / self.value_corr * (1.0 / self.prior_kw_probability - 1)

    def thresholds(self) -> list[np.float32]:
        """From 0 to 1, added up in single precision. Raises KaldiError for values that make no sense."""
        if not self.sweep_step >= 1e-4 or not self.prior_kw_probability > 0 or not self.value_corr > 0:
            raise KaldiError("--sweep-step, --prior-kw-probability and --value-corr must be greater than zero")
        found, at = [], np.float32(0.0)
        while at <= 1:
            found.append(at)
            at = np.float32(at + np.float32(self.sweep_step))
        return found


@dataclass(frozen=True)
class Term:
    """A keyword in an utterance, between two frames."""

    keyword: str
    utterance: int
    begin: int
    end: int
    score: np.float32

    @classmethod
    def of_row(cls, keyword: str, row: Sequence[float]) -> Term:
        """Of a line of a table. Raises KaldiError where it has not four numbers that are finite."""
        wanted = f"keyword {keyword}: expected utterance, two frames and a score"
        if len(row) != 4:
            raise KaldiError(f"{wanted}, got {len(row)} numbers")
        if not np.isfinite(row).all() or max(map(abs, row[:3])) >= 1 << 31:
            raise KaldiError(f"{wanted}, got {' '.join(f'{number:g}' for number in row)}")
        return cls(keyword, int(row[0]), int(row[1]), int(row[2]), np.float32(row[3]))

    @property
    def center(self) -> int:
        return int((self.begin + self.end) / 2)

    def overlap(self, other: Term) -> float:
        """Of the time from the first to the last frame of both; negative where they are apart."""
        joined = max(self.end, other.end) - min(self.begin, other.begin)
        return (min(self.end, other.end) - max(self.begin, other.begin)) / joined if joined else float("nan")


Aligned = tuple[Term | None, Term | None]
"""What was said and what was found, or None."""


def align_terms(said: Iterable[Term], found: Iterable[Term], max_distance: int) -> list[Aligned]:
    """What was found, in its order, each with the nearest of what was said that is free; then the rest of that."""
    places: dict[tuple[int, str], list[Term]] = {}
    for term in said:
        places.setdefault((term.utterance, term.keyword), []).append(term)
    used = {key: [False] * len(terms) for key, terms in places.items()}
    aligned: list[Aligned] = []
    for term in found:
        key = term.utterance, term.keyword
        best, best_overlap = -1, -np.inf
        for number, place in enumerate(places.get(key, ())):
            near = abs(place.center - term.center) <= max_distance
            if near and not used[key][number] and place.overlap(term) > best_overlap:
                best, best_overlap = number, place.overlap(term)
        if best >= 0:
            used[key][best] = True
        aligned.append((places[key][best] if best >= 0 else None, term))
    for key, terms in places.items():
        aligned += [(term, None) for term, was_used in zip(terms, used[key], strict=True) if not was_used]
    return aligned


def csv_lines(aligned: Iterable[Aligned], frames_per_second: int) -> Iterable[str]:
    """As F4DE's alignment files: utterances by their numbers, no language."""
    yield "language,file,channel,termid,term,ref_bt,ref_et,sys_bt,sys_et,sys_score,sys_decision,alignment"
    for said, found in aligned:
        term = said or found
        assert term is not None
        times = [f"{t / frames_per_second:g}" for t in (said.begin, said.end)] if said else ["", ""]
        system = ["", "", "", ""]
        if found:
            decision = "YES" if found.score >= DECIDED else "NO"
            system = [f"{t / frames_per_second:g}" for t in (found.begin, found.end)] + [f"{found.score:g}", decision]
        if said:
            outcome = "CORR" if found and found.score >= DECIDED else "MISS"
        else:
            outcome = "FA" if found and found.score >= DECIDED else "CORR!DET"
        yield ",".join(["", str(term.utterance), "1", term.keyword, term.keyword, *times, *system, outcome])


@dataclass
class TermWeightedValues:
    """``actual``: at the threshold of the options; ``supreme``: of all that was found anywhere, without false alarms;
    ``maximum``: at the best threshold for all keywords together, ``threshold``; ``oracle``: at the best of each."""

    actual: float
    supreme: float
    maximum: float
    threshold: float
    oracle: float


@dataclass
class _Keyword:
    targets: int = 0
    unseen: int = 0
    correct: list[np.float32] = field(default_factory=list)  # scores
    false: list[np.float32] = field(default_factory=list)

    def value(self, threshold: np.float32, beta: float, seconds: float) -> float:
        hits, alarms = (sum(score >= threshold for score in scores) for scores in (self.correct, self.false))
        return float(hits / self.targets - beta * alarms / (seconds - self.targets))


def term_weighted_values(aligned: Iterable[Aligned], seconds: float, options: TwvOptions) -> TermWeightedValues:
    """Of ``seconds`` of sound. Raises KaldiError for options that make no sense."""
    thresholds = options.thresholds()
    keywords: dict[str, _Keyword] = {}
    for said, found in aligned:
        term = said or found
        assert term is not None
        own = keywords.setdefault(term.keyword, _Keyword())
        own.targets += said is not None
        own.unseen += found is None
        if found is not None:
            (own.false if said is None else own.correct).append(found.score)
    spoken = [own for own in keywords.values() if own.targets]
    if not spoken:
        return TermWeightedValues(0.0, 0.0, 0.0, 0.0, 0.0)
    swept = np.array([[own.value(threshold, options.beta, seconds) for threshold in thresholds] for own in spoken])
    means = swept.mean(axis=0)
    at = np.float32(options.score_threshold)
    return TermWeightedValues(
        float(np.mean([own.value(at, options.beta, seconds) for own in spoken])),
        float(np.mean([1 - own.unseen / own.targets for own in spoken])),
        float(means.max()),
        float(thresholds[int(means.argmax())]),
        float(swept.max(axis=1).mean()),
    )
