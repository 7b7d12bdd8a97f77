"""A stream as Kaldi's TCP server speaks: samples in, lines of text out.

    client  16-bit PCM, until it closes its side
    server  "two three \\r"       what was heard since the last line, now and then
            "two three four \\n"  at an endpoint, and at the end

(online2bin/online2-tcp-nnet3-decode-faster.cc.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.online.features import OnlineFeatures, OnlineSpeaker
from nnet3_compat.serving.engine import Work
from nnet3_compat.serving.tcp_options import TcpOptions
from nnet3_compat.utterances.online_stream import OnlineStream, StreamSetup


class KaldiStream:
    """What the samples of one client give."""

    def __init__(self, setup: StreamSetup, options: TcpOptions, symbols: SymbolTable) -> None:
        features = OnlineFeatures(setup.features, OnlineSpeaker(setup.features), options.samp_freq)
        self._stream, self._setup, self._options, self._symbols = OnlineStream(setup, features), setup, options, symbols
        self._samples = 0
        self._next_output = self._period = int(options.samp_freq * options.output_period)

    def speech(self, samples: np.ndarray) -> Work[str]:
        """Takes a chunk, float32 [samples] at the scale of 16-bit integers; gives what the client is to be sent."""
        stream, told = self._stream, ""
        stream.hear(samples, last=False)
        stream.search((yield stream.chunks()))
        self._samples += self._options.chunk_samples
        if self._samples > self._next_output:
            if stream.decoder.num_frames:
                told += self._line(stream.decoder.best_words()) + "\r"
            self._next_output += self._period
        if stream.endpoint(self._options):
            told += self._whole_line()
            stream.restart()
        return told

    def end(self) -> Work[str]:
        """No samples follow."""
        stream = self._stream
        stream.hear(np.zeros(0, np.float32), last=True)
        stream.search((yield stream.chunks()))
        return self._whole_line() if stream.decoder.num_frames else "\n"

    def _whole_line(self) -> str:
        decoded = self._stream.decoder.finish()
        if decoded is None:
            log.warning("Empty lattice.")
        return self._line(decoded.words if decoded is not None else []) + "\n"

    def _line(self, words: Sequence[int]) -> str:
        text = "".join(f"{self._word(number, at)} " for at, number in enumerate(words))
        if not self._options.produce_time:
            return text
        begin, unit = self._stream.num_frames, self._setup.frame_shift
        return f"{begin * unit:.2f} {(begin + self._stream.decoder.num_frames) * unit:.2f} {text}"

    def _word(self, number: int, at: int) -> str:
        if number in self._symbols.symbols:
            return self._symbols[number]
        log.warning(f"Word-id {number} not in symbol table.")
        return f"<#{at}>"
