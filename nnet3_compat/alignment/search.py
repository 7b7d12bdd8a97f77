"""The best path of a stream of samples through the graph of its transcript.

A search is a generator, so that the network can compute chunks of several recordings at once (``together``): it yields
chunks, is sent their outputs, and returns the path. Of a recording only the samples of a step are held at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.decoder import MAX_INT, Decoded, Graph, SearchOptions
from kaldi_bridge.lattices.lattice import CompactLattice, to_compact
from kaldi_bridge.lattices.paths import best_path_lattice
from kaldi_bridge.online.features import OnlineFeatures, OnlineSpeaker
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from nnet3_compat.alignment.transcribed import Samples
from nnet3_compat.recognition.acoustic_model import AcousticModel
from nnet3_compat.utterances.online_computation import Chunk, OnlineComputer
from nnet3_compat.utterances.online_stream import OnlineStream

ONE_PATH = 1e-3  # beam of a lattice of little more than the best path

Answer = TypeVar("Answer")
Search = Generator[list[Chunk], list[np.ndarray], Answer]


class TextSearch:
    """Searches with one model; the graph of each recording is its own."""

    def __init__(self, model: AcousticModel, beam: float, retry_beam: float) -> None:
        self._model = model
        beams = [beam, retry_beam] if retry_beam > beam else [beam]
        self._tries = [_search_options(model.options, width) for width in beams]

    def run(self, name: str, graph: Graph, open_samples: Callable[[], Samples]) -> Search[CompactLattice]:
        """Returns the best path, with words where they are said.

        ``open_samples``: gives the samples from the beginning on; called for each try.

        Raises KaldiError for what is no recording, EntryError where no path is found.
        """
        for search in self._tries:
            decoded = yield from self._decoded(graph, search, *open_samples())
            if decoded is not None and decoded.reached_final:
                return best_lattice(decoded, self._model.options.acoustic_scale)
            if search is not self._tries[-1]:
                log.warning(f"{name}: retrying with a beam of {self._tries[-1].beam:g}")
        raise EntryError("the end of the transcript was not reached: is it that of this recording?")

    def _decoded(
        self, graph: Graph, search: SearchOptions, rate: float, pieces: Iterator[np.ndarray]
    ) -> Search[Decoded | None]:
        setup = self._model.setup(graph, search, SilenceWeightingOptions())
        stream = OnlineStream(setup, OnlineFeatures(setup.features, OnlineSpeaker(setup.features), rate))
        for samples in pieces:
            stream.hear(samples, last=False)
            stream.search((yield stream.chunks()))
        stream.hear(np.zeros(0, np.float32), last=True)
        stream.search((yield stream.chunks()))
        return stream.decoder.finish()


def best_lattice(decoded: Decoded, acoustic_scale: float) -> CompactLattice:
    """The best path alone, of a lattice that was not determinized."""
    path = best_path_lattice(scale(to_compact(decoded.lattice), acoustic=acoustic_scale))
    assert path is not None
    return path


def _search_options(options: SearchOptions, beam: float) -> SearchOptions:
    return replace(
        options, beam=beam, max_active=MAX_INT, min_active=0, lattice_beam=ONE_PATH, determinize_lattice=False
    )


def together(computer: OnlineComputer, searches: Iterable[Search[Answer]], count: int) -> Iterator[Answer | KaldiError]:
    """What the searches return or raise, in their order; the network computes for ``count`` of them at a time."""
    waiting = iter(searches)
    running: deque[_Running[Answer]] = deque()
    while True:
        while len(running) < count and (search := next(waiting, None)) is not None:
            running.append(_Running(search))
        if not running:
            return
        active = [each for each in running if not each.outcome]
        outputs = computer.compute([chunk for each in active for chunk in each.chunks])
        for each in active:
            own, outputs = outputs[: len(each.chunks)], outputs[len(each.chunks) :]
            each.go_on(own)
        while running and running[0].outcome:
            yield running.popleft().outcome[0]


class _Running(Generic[Answer]):
    """A search, the chunks that it waits for, and, when it has come to its end, what it returned or raised."""

    def __init__(self, search: Search[Answer]) -> None:
        self._search, self.chunks = search, list[Chunk]()
        self.outcome: list[Answer | KaldiError] = []
        self.go_on(None)

    def go_on(self, outputs: list[np.ndarray] | None) -> None:
        try:
            self.chunks = next(self._search) if outputs is None else self._search.send(outputs)
        except StopIteration as end:
            self.outcome = [end.value]
        except KaldiError as error:
            self.outcome = [error]
