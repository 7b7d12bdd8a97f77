"""Keywords looked for in an index (kwsbin/kws-search.cc; csrc/keyword_search.h)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.pruning import pruned
from kaldi_bridge.fsts.shortest_paths import shortest_paths
from kaldi_bridge.kws.keyword_index import KeywordIndex


@dataclass
class SearchOptions:
    """Options of kws-search."""

    frame_subsampling_factor: int = option(1, "Frame subsampling factor, by which frames in the results are multiplied")
    nbest: int = option(-1, "Only so many occurrences of a keyword, the best ones; -1: all")
    keyword_nbest: int = option(-1, "Where the FST has several keywords, only so many, the best ones; -1: all")
    strict: bool = option(True, "Exit with status 1 where no keyword was found")
    negative_tolerance: float = option(-0.1, "Warn of scores below this one, which is negative", type="double")
    keyword_beam: float = option(
        -1.0,
        "Where the FST has several keywords, they may cost more than the best one by so much; -1: any",
        type="double",
    )


@dataclass
class Found:
    """Of one keyword.

    Attributes:
        occurrences: float64 [n, 4] of where it may have been said: the utterance, the first and the last frame, and the
            negated logarithm of the probability. Those of the same words in one utterance that overlap are one.
        unexpected: how many more did not end where the index ends.
        paths: of each path these four, and its labels, with what tells paths apart at the end.
    """

    occurrences: np.ndarray
    unexpected: int
    paths: list[list[float]]


class KeywordSearch:
    """Searches one index. Raises KaldiError for options that make no sense, and an index that tells utterances before
    its ends."""

    def __init__(self, index: KeywordIndex, options: SearchOptions) -> None:
        for name in ("nbest", "keyword_nbest", "keyword_beam"):
            if getattr(options, name) < 0 and getattr(options, name) != -1:
                raise KaldiError(f"Bad number for {name.replace('_', '-')}")
        leads_on = np.isinf(index.finals["cost"])[index.arcs["nextstate"]]
        if index.arcs["olabel"][leads_on].any():
            raise KaldiError("the index has an utterance on an arc that does not lead to an end")
        self._options = options
        self._search = _csrc.KeywordSearch(index.parts)

    def __call__(self, keyword: Fst, with_paths: bool = False) -> Found | None:
        """None where nothing is found. Raises KaldiError for a keyword with a cycle."""
        options = self._options
        if options.keyword_beam != -1:
            keyword = pruned(keyword, options.keyword_beam)
        if options.keyword_nbest != -1:
            keyword = shortest_paths(keyword, options.keyword_nbest, unique=True)
        if not np.isfinite(keyword.arcs["weight"]).all() or (keyword.finals == -np.inf).any():
            raise KaldiError("the keyword's FST has a cost that is not finite")
        parts = (keyword.start, keyword.finals, keyword.offsets, keyword.arcs)
        try:
            any_path, occurrences, unexpected, paths = self._search.find(parts, options.nbest, with_paths)
        except ValueError as error:
            raise KaldiError(f"the keyword's FST cannot be searched: {error}") from None
        return Found(occurrences, unexpected, paths) if any_path else None
