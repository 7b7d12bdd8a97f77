"""Recordings into lattices as they would come in, speaker by speaker: what online2-wav-nnet3-latgen-faster does."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.wave import Wave
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.decoder import Decoded, Graph, SearchOptions
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.online.endpointing import EndpointOptions, phone_set
from kaldi_bridge.online.features import OnlineFeatureOptions, OnlineFeatures, OnlineFeatureSetup, OnlineSpeaker
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from kaldi_bridge.online.timing import OnlineTimer, TimingStatistics
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import TOKEN_VECTOR, WAVE
from nnet3_compat.utterances.computation_options import OptimizationOptions
from nnet3_compat.utterances.looped_options import LoopedOptions
from nnet3_compat.utterances.online_stream import OnlineStream, StreamSetup

if TYPE_CHECKING:
    from nnet3_compat.utterances.online_computation import OnlineComputer


@dataclass
class PaceOptions:
    """At which pace recordings come in."""

    chunk_length: float = option(0.18, "Seconds of speech that come in at a time; <= 0: all at once")
    online: bool = option(
        True, "False: i-vectors of the whole utterance from its beginning on, and all samples at once (best results)"
    )
    num_threads_startup: int = without_effect(
        8, "Threads that prepare the i-vector extractor, which is ready at once here"
    )

    def parts(self, samples: np.ndarray, rate: float) -> Iterator[tuple[np.ndarray, int]]:
        """Samples, and the number of them that have come in then."""
        size = len(samples)
        if self.online and self.chunk_length > 0:
            size = max(1, int(np.float32(rate) * np.float32(self.chunk_length)))  # in single precision, as Kaldi
        for start in range(0, len(samples), max(size, 1)):
            end = min(start + size, len(samples))
            yield samples[start:end], end


@dataclass
class OnlineDecodingOptions(
    OnlineFeatureOptions,
    SilenceWeightingOptions,
    LoopedOptions,
    OptimizationOptions,
    SearchOptions,
    EndpointOptions,
    PaceOptions,
):
    """Options of online2-wav-nnet3-latgen-faster."""

    word_symbol_table: str = option("", "Symbol table for words: print the decoded words")
    do_endpointing: bool = option(False, "Stop where an endpoint is detected")


class OnlineRecognizer:
    """A model, a graph and the options, to decode utterances of speakers.

    Raises:
        KaldiError: the files do not fit together, or the options make no sense.
    """

    def __init__(
        self, options: OnlineDecodingOptions, model: TransitionModel, graph: Graph, computer: OnlineComputer
    ) -> None:
        options.check()
        if not options.determinize_lattice:
            raise KaldiError("--determinize-lattice=false option is not supported at the moment")
        if options.do_endpointing and not phone_set(options.silence_phones, "endpoint.silence-phones"):
            raise KaldiError("Endpointing requires nonempty --endpoint.silence-phones option")
        features = OnlineFeatureSetup.of_files(options, options.online)
        self._options, self._setup = options, StreamSetup(model, graph, computer, features, options, options)

    def speaker(self) -> OnlineSpeaker:
        return OnlineSpeaker(self._setup.features)

    def features(self, speaker: OnlineSpeaker, sample_frequency: float) -> OnlineFeatures:
        """Of a new utterance. Raises KaldiError where the options do not allow to resample it."""
        return OnlineFeatures(self._setup.features, speaker, sample_frequency)

    def decode(self, features: OnlineFeatures, wave: Wave, timer: OnlineTimer) -> Decoded | None:
        """One utterance, of the first channel of its recording; None when no path survived or no frame was there.

        Raises KaldiError where the recording or its features do not fit.
        """
        samples, rate = wave.data[0], wave.sample_frequency
        stream = OnlineStream(self._setup, features)
        for part, end in self._options.parts(samples, rate):
            stream.hear(part, last=end == len(samples))
            timer.wait_until(end / rate)
            stream.advance()
            if self._options.do_endpointing and stream.endpoint(self._options):
                break
        decoded = stream.decoder.finish()
        stream.end()
        return decoded


def decode_online(
    options: OnlineDecodingOptions, model_in: str, graph_in: str, spk2utt: str, wav_rspecifier: str, lattices: str
) -> int:
    """Decodes every utterance, reports; returns the exit status."""
    from nnet3_compat.model.model_file import read_with_transitions
    from nnet3_compat.utterances.online_computation import OnlineComputer

    model, transition_model = read_with_transitions(model_in)
    graph = open_graph(graph_in, transition_model)
    recognizer = OnlineRecognizer(options, transition_model, graph, OnlineComputer(model, options, model_in))
    symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
    timing = TimingStatistics()
    done = failed = frames = 0
    likelihood = 0.0
    with ExitStack() as stack:
        speakers = stack.enter_context(SequentialReader(spk2utt, TOKEN_VECTOR))
        waves = stack.enter_context(RandomAccessReader(wav_rspecifier, WAVE))
        writer = stack.enter_context(TableWriter(lattices, COMPACT_LATTICE))
        for _, utterances in speakers:
            speaker = recognizer.speaker()
            for utterance in utterances:
                if utterance not in waves:
                    log.warning(f"Did not find audio for utterance {utterance}")
                    failed += 1
                    continue
                wave = waves[utterance]
                features = recognizer.features(speaker, wave.sample_frequency)
                try:
                    timer = OnlineTimer()
                    decoded = recognizer.decode(features, wave, timer)
                    if decoded is None or not isinstance(decoded.lattice, CompactLattice):
                        raise KaldiError("it is too short, or no path survived")
                except KaldiError as error:
                    log.warning(f"Failed to decode utterance {utterance}: {error}")
                    failed += 1
                    continue
                if symbols is not None:
                    print(utterance, *(symbols[word] for word in decoded.words), "", file=sys.stderr)
                timing.add(utterance, timer)
                writer.write(utterance, decoded.lattice)
                log.info(f"Decoded utterance {utterance}")
                done += 1
                frames += len(decoded.alignment)
                likelihood -= sum(decoded.cost)
    timing.report(options.online)
    log.info(f"Decoded {done} utterances, {failed} with errors.")
    average = likelihood / frames if frames else math.nan
    log.info(f"Overall likelihood per frame was {average:g} per frame over {frames} frames.")
    return 0 if done else 1
