"""Tables of recordings decoded speaker by speaker, each adapted to (online2bin/online2-wav-gmm-latgen-faster.cc)."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.wave import Wave
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path
from kaldi_bridge.online.endpointing import phone_set
from kaldi_bridge.online.gmm_decoding import AdaptationState, GmmOnlineModels, GmmOnlineOptions, GmmUtterance
from kaldi_bridge.online.gmm_features import GmmFeatureOptions
from kaldi_bridge.online.timing import OnlineTimer, TimingStatistics
from kaldi_bridge.options import option
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import TOKEN_VECTOR, WAVE
from kaldi_bridge.tables.loop import TableLoop


@dataclass
class RecordingOptions(GmmOnlineOptions, GmmFeatureOptions):
    """Options of online2-wav-gmm-latgen-faster."""

    chunk_length: float = option(0.05, "Length of chunk size in seconds, that we process.")
    word_symbol_table: str = option("", "Symbol table for words: print the decoded words")
    do_endpointing: bool = option(False, "If true, apply endpoint detection")

    def check_recordings(self) -> None:
        """Raises KaldiError for values that make no sense."""
        if not 0 <= self.chunk_length < 1e5:
            raise KaldiError(f"--chunk-length={self.chunk_length:g} is out of range")
        if self.do_endpointing and not phone_set(self.endpoint_silence_phones, "endpoint.silence-phones"):
            raise KaldiError("Endpointing requires nonempty --endpoint.silence-phones option")


def decode_recordings(
    options: RecordingOptions, models: GmmOnlineModels, spk2utt: str, wav_rspecifier: str, lattices: str
) -> int:
    """Writes the lattices of all utterances, reports; returns the exit status."""
    options.check_recordings()
    symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
    timing, loop = TimingStatistics(), TableLoop()
    frames, likelihood = 0, 0.0
    with (
        SequentialReader(spk2utt, TOKEN_VECTOR) as speakers,
        RandomAccessReader(wav_rspecifier, WAVE) as waves,
        TableWriter(lattices, COMPACT_LATTICE) as writer,
    ):
        for _, utterances in speakers:
            state = AdaptationState()
            for utterance in utterances:
                if utterance not in waves:
                    loop.fail(f"Did not find audio for utterance {utterance}")
                    continue
                with loop.entry(utterance, f"Failed to decode utterance {utterance}"):
                    timer = OnlineTimer()
                    decoding = GmmUtterance(models, state, waves[utterance].sample_frequency)
                    lattice = _decoded(options, decoding, waves[utterance], timer)
                    best = best_path(lattice)
                    if best is None:
                        raise EntryError("the lattice is empty")
                    if symbols is not None:
                        print(utterance, *(symbols[word] for word in best.words), "", file=sys.stderr)
                    timing.add(utterance, timer)
                    state = decoding.state
                    writer.write(utterance, scale(lattice, acoustic=1.0 / float(np.float32(options.acoustic_scale))))
                    frames, likelihood = frames + len(best.alignment), likelihood - sum(best.cost)
                    log.info(f"Decoded utterance {utterance}")
    timing.report(online=True)
    log.info(f"Decoded {loop.done} utterances, {loop.failed} with errors.")
    average = likelihood / frames if frames else float("nan")
    log.info(f"Overall likelihood per frame was {average:g} per frame over {frames} frames.")
    return loop.status


def _decoded(options: RecordingOptions, decoding: GmmUtterance, wave: Wave, timer: OnlineTimer) -> CompactLattice:
    """Of the first channel, piece by piece."""
    samples, rate = wave.data[0], wave.sample_frequency
    size = max(1, int(np.float32(rate) * np.float32(options.chunk_length)))
    for begin in range(0, len(samples), size):
        end = min(begin + size, len(samples))
        timer.wait_until(end / rate)
        decoding.advance(samples[begin:end], last=end == len(samples))
        if options.do_endpointing and decoding.is_endpoint():
            break
    return decoding.finish()
