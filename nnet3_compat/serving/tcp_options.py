"""Options of the TCP server, which are those of online2-tcp-nnet3-decode-faster and limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.decoder import SearchOptions
from kaldi_bridge.online.endpointing import EndpointOptions, phone_set
from kaldi_bridge.online.features import OnlineFeatureOptions
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from nnet3_compat.serving.options import LimitOptions
from nnet3_compat.utterances.computation_options import OptimizationOptions
from nnet3_compat.utterances.looped_options import LoopedOptions


@dataclass
class TcpOptions(
    OnlineFeatureOptions,
    SilenceWeightingOptions,
    LoopedOptions,
    OptimizationOptions,
    SearchOptions,
    EndpointOptions,
    LimitOptions,
):
    """Options of online2-tcp-nnet3-decode-faster, and the limits that many connections need."""

    samp_freq: float = option(16000.0, "Sampling rate of what comes in, 16-bit PCM, in Hz")
    chunk_length: float = option(0.18, "Seconds of speech that are processed at a time")
    output_period: float = option(1.0, "Seconds of speech after which what was heard so far is sent again")
    read_timeout: int = option(3, "Seconds without samples after which a client is taken to have ended; -1: never")
    port_num: int = option(5050, "Port to listen at, on all addresses; 0: any free one, which the log tells")
    produce_time: bool = option(False, "Begin lines with the times of their begin and end, in seconds")
    num_threads_startup: int = without_effect(
        8, "Threads that prepare the i-vector extractor, which is ready at once here"
    )

    @property
    def chunk_samples(self) -> int:
        """In single precision, as Kaldi."""
        return int(np.float32(self.chunk_length) * np.float32(self.samp_freq))

    def check(self) -> None:
        """Raises KaldiError for options that make no sense."""
        SearchOptions.check(self)
        LimitOptions.check(self)
        if self.chunk_samples < 1 or not self.output_period > 0:
            raise KaldiError("--chunk-length, --samp-freq and --output-period must be positive")
        if not 0 <= self.port_num < 65536:
            raise KaldiError(f"--port-num={self.port_num} should be 0 to 65535")
        if not phone_set(self.silence_phones, "endpoint.silence-phones"):
            raise KaldiError("Endpointing requires nonempty --endpoint.silence-phones option")
