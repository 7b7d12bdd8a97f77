"""Recordings decoded as they would come in, until a word is heard (online2-wav-nnet3-wake-word-decoder-faster)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaldi_bridge import log
from kaldi_bridge.command import option, write_stdout
from kaldi_bridge.errors import within
from kaldi_bridge.io.wave import Wave
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.best_paths import FasterOptions
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.lattices.settling_decoder import SettlingDecoder
from kaldi_bridge.online.endpointing import EndpointOptions
from kaldi_bridge.online.features import OnlineFeatureOptions, OnlineFeatures, OnlineFeatureSetup, OnlineSpeaker
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from kaldi_bridge.online.timing import OnlineTimer, TimingStatistics
from kaldi_bridge.options import ignoring
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR, TOKEN_VECTOR, WAVE
from nnet3_compat.utterances.computation_options import OptimizationOptions
from nnet3_compat.utterances.looped_options import LoopedOptions
from nnet3_compat.utterances.online_decoding import PaceOptions

if TYPE_CHECKING:
    from nnet3_compat.utterances.online_computation import OnlineComputer


@ignoring("Kaldi's program takes it, and does nothing with it", EndpointOptions, SilenceWeightingOptions)
@dataclass
class WakeWordOptions(
    OnlineFeatureOptions,
    SilenceWeightingOptions,
    LoopedOptions,
    OptimizationOptions,
    FasterOptions,
    EndpointOptions,
    PaceOptions,
):
    """Options of online2-wav-nnet3-wake-word-decoder-faster."""

    chunk_length: float = option(1.0, "Seconds of speech that come in at a time; <= 0: all at once")
    wake_word_id: int = option(2, "The word at which to stop")


class WakeWordSpotter:
    """Decodes utterances up to the wake word, and prints words as they are settled.

    Raises KaldiError: the files do not fit together, or the options make no sense.
    """

    def __init__(self, options: WakeWordOptions, graph: Graph, computer: OnlineComputer, symbols: SymbolTable) -> None:
        self._options, self._graph, self._computer, self._symbols = options, graph, computer, symbols
        self.features = OnlineFeatureSetup.of_files(options, options.online)

    def decode(self, features: OnlineFeatures, wave: Wave, timer: OnlineTimer) -> tuple[list[int], list[int]] | None:
        """Words and transition-ids of what was heard of the recording's first channel; None where it has no samples.

        Raises KaldiError where the recording or its features do not fit.
        """
        samples, rate = wave.data[0], wave.sample_frequency
        decoder = SettlingDecoder(self._graph, self._options)
        outputs = self._computer.start()
        line_is_open = False
        for part, end in self._options.parts(samples, rate):
            last = end == len(samples)
            heard = features.extend(part, last)
            timer.wait_until(end / rate)
            ivector = None if features.ivectors is None else features.newest_ivector
            decoder.advance(outputs.extend(heard, last, ivector))
            if last:
                words = decoder.words_after_settled()
                self._print(words, "\n\n" if words or line_is_open else "")
                return decoder.best_path()
            words = decoder.settled_words()
            self._print(words)
            line_is_open = line_is_open or bool(words)
            if self._options.wake_word_id in words:
                return decoder.best_path()
        return None

    def _print(self, words: list[int], end: str = "") -> None:
        write_stdout("".join(f"{self._symbols[word]} " for word in words) + end)


def spot_wake_words(
    options: WakeWordOptions,
    model_in: str,
    graph_in: str,
    spk2utt: str,
    wav_rspecifier: str,
    symbols_in: str,
    words_wspecifier: str,
    alignments_wspecifier: str,
) -> int:
    """Decodes every utterance, reports; returns the exit status."""
    from nnet3_compat.model.model_file import read_with_transitions
    from nnet3_compat.utterances.online_computation import OnlineComputer

    model, transition_model = read_with_transitions(model_in)
    computer = OnlineComputer(model, options, model_in)
    spotter = WakeWordSpotter(options, open_graph(graph_in, transition_model), computer, SymbolTable.read(symbols_in))
    timing = TimingStatistics()
    done = failed = 0
    with ExitStack() as stack:
        speakers = stack.enter_context(SequentialReader(spk2utt, TOKEN_VECTOR))
        waves = stack.enter_context(RandomAccessReader(wav_rspecifier, WAVE))
        words = stack.enter_context(TableWriter(words_wspecifier, INT32_VECTOR))
        alignments = stack.enter_context(TableWriter(alignments_wspecifier, INT32_VECTOR))
        for _, utterances in speakers:
            speaker = OnlineSpeaker(spotter.features)
            for utterance in utterances:
                if utterance not in waves:
                    log.warning(f"Did not find audio for utterance {utterance}")
                    failed += 1
                    continue
                with within(f"utterance {utterance}"):
                    wave = waves[utterance]
                    features = OnlineFeatures(spotter.features, speaker, wave.sample_frequency)
                    timer = OnlineTimer()
                    decoded = spotter.decode(features, wave, timer)
                    features.end()
                timing.add(utterance, timer)
                if decoded is not None:
                    words.write(utterance, decoded[0])
                    alignments.write(utterance, decoded[1])
                log.info(f"Decoded utterance {utterance}")
                done += 1
    timing.report(options.online)
    log.info(f"Decoded {done} utterances, {failed} with errors.")
    return 0 if done else 1
