"""Words of a vocabulary that sound like a keyword out of it (kwsbin/generate-proxy-keywords.cc)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import connected
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.pruning import PrunedComposition, pruned
from kaldi_bridge.fsts.rational import arc_sorted, projected
from kaldi_bridge.fsts.shortest_paths import shortest_paths


@dataclass
class ProxyOptions:
    """Options of generate-proxy-keywords."""

    phone_nbest: int = option(50, "Only so many sequences of phones, the best ones; -1: all")
    proxy_nbest: int = option(100, "Only so many proxies, the best ones; -1: all")
    phone_beam: float = option(
        5.0, "Sequences of phones may cost more than the best one by so much; -1: any", type="double"
    )
    proxy_beam: float = option(5.0, "Proxies may cost more than the best one by so much; -1: any", type="double")
    max_states: int = option(100000, "Most states of what proxies are searched in; 0: any number")

    def check(self) -> None:
        """Raises KaldiError for numbers without meaning."""
        for name in ("phone_nbest", "proxy_nbest"):
            if getattr(self, name) != -1 and getattr(self, name) <= 0:
                raise KaldiError(f"--{name.replace('_', '-')} must either be -1 or positive.")
        if self.phone_beam != -1 and not self.phone_beam >= 0:
            raise KaldiError("--phone-beam must either be -1 or non-negative.")
        if self.proxy_beam != -1 and not self.proxy_beam > 0:
            raise KaldiError("--proxy-beam must either be -1 or positive.")
        if self.max_states < 0:
            raise KaldiError("--max-states must be 0 or positive.")


class ProxyFinder:
    """Finds proxies of keywords, which are sequences of words.

    ``confusable``: from words of a large lexicon to what phones may be heard, sorted by input labels; ``words``: from
    phones to words of the small lexicon.
    """

    def __init__(self, confusable: Fst, words: Fst, options: ProxyOptions) -> None:
        options.check()
        self._options = options
        self._confusable = OpenFst.of(confusable)
        self._words = words
        self._pruned_words = PrunedComposition(words) if options.proxy_beam >= 0 else None

    def __call__(self, keyword: Sequence[int] | np.ndarray) -> Fst:
        """A deterministic acceptor of proxies with their costs. Raises KaldiError."""
        options = self._options
        acceptor = OpenFst.of(linear_acceptor(keyword)).arc_sorted("olabel")
        phones = projected(acceptor.composed(self._confusable, "right").fst(), "output")
        if options.phone_beam >= 0:
            phones = pruned(phones, options.phone_beam)
        if options.phone_nbest > 0:
            best = _best(OpenFst.of(phones).without_epsilons().fst(), options.phone_nbest)
            phones = OpenFst.of(best).determinized().fst()
        phones = arc_sorted(OpenFst.of(phones).without_epsilons().fst(), "olabel")
        if self._pruned_words:
            proxies = self._pruned_words.of(phones, options.proxy_beam, options.max_states)
        else:
            proxies = projected(OpenFst.of(phones).composed(OpenFst.of(self._words), "right").fst(), "output")
        if options.proxy_nbest > 0:
            proxies = _best(OpenFst.of(proxies).without_epsilons().fst(), options.proxy_nbest)
        return arc_sorted(OpenFst.of(proxies).without_epsilons().determinized().fst(), "olabel")


def _best(fst: Fst, count: int) -> Fst:
    if count == 1:
        return OpenFst.of(fst).shortest_paths(1).fst()
    return connected(shortest_paths(fst, count, unique=True))


def paths(fst: Fst) -> Iterator[tuple[np.float32, list[int]]]:
    """Cost and labels of each path of an FST without cycles up to where it may first end."""
    if fst.start < 0:
        return
    waiting: list[tuple[int, np.float32, list[int]]] = [(fst.start, np.float32(0), [])]
    while waiting:
        state, cost, labels = waiting.pop()
        if np.isfinite(fst.finals[state]):
            yield fst.finals[state] + cost, labels
            continue
        for ilabel, _, weight, target in reversed(fst.arcs_of(state).tolist()):
            waiting.append((target, np.float32(weight) + cost, [*labels, ilabel]))
