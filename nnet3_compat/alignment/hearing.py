"""What is heard in a recording: words with their times, segment by segment as Kaldi's endpoint rules end them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.linear import segments_of
from kaldi_bridge.lattices.word_alignment import LexiconAligner, WordAligner
from kaldi_bridge.online.features import OnlineFeatures, OnlineSpeaker
from nnet3_compat.alignment.search import ONE_PATH, Search, best_lattice
from nnet3_compat.alignment.transcribed import Samples
from nnet3_compat.recognition.acoustic_model import AcousticModel
from nnet3_compat.utterances.online_stream import OnlineStream


class HeardWord(NamedTuple):
    """A word's number, and when it begins and ends, in seconds."""

    word: int
    start: float
    end: float


class Hearing(NamedTuple):
    """``seconds``: how long the recording is."""

    words: list[HeardWord]
    seconds: float


def hear(
    model: AcousticModel, graph: Graph, aligner: WordAligner | LexiconAligner, open_samples: Callable[[], Samples]
) -> Search[Hearing]:
    """Searches the recording with the beams of the model's folder. Raises KaldiError for what is no recording."""
    search = replace(model.options, lattice_beam=ONE_PATH, determinize_lattice=False)
    setup = model.setup(graph, search)
    rate, pieces = open_samples()
    stream = OnlineStream(setup, OnlineFeatures(setup.features, OnlineSpeaker(setup.features), rate))
    words: list[HeardWord] = []
    for samples in pieces:
        stream.hear(samples, last=False)
        stream.search((yield stream.chunks()))
        if stream.endpoint(model.options):
            words += _words(model, stream, aligner)
            stream.restart()
    stream.hear(np.zeros(0, np.float32), last=True)
    stream.search((yield stream.chunks()))
    words += _words(model, stream, aligner)
    return Hearing(words, (stream.num_frames + stream.decoder.num_frames) * model.frame_shift)


def _words(model: AcousticModel, stream: OnlineStream, aligner: WordAligner | LexiconAligner) -> Iterator[HeardWord]:
    """Of the search that has come to its end."""
    decoded = stream.decoder.finish()
    if decoded is None:
        return
    path = best_lattice(decoded, model.options.acoustic_scale)
    for segment in segments_of(aligner.align(path, warn=False).lattice):
        if segment.word:
            start = stream.num_frames + segment.start
            yield HeardWord(segment.word, start * model.frame_shift, (start + len(segment.ids)) * model.frame_shift)
