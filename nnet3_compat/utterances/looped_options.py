"""The options of computation that goes on chunk by chunk, with Kaldi's names and defaults."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.precision import PrecisionOptions
from nnet3_compat.model.priors import PriorOptions


@dataclass
class LoopedOptions(PriorOptions, PrecisionOptions):
    """Kaldi's NnetSimpleLoopedComputationOptions."""

    extra_left_context_initial: int = option(
        0, "Frames that the first chunk gets beyond the left context of the network"
    )
    frame_subsampling_factor: int = option(
        1, "Compute one output for so many frames of input (3 for most chain models)"
    )
    acoustic_scale: float = option(0.1, "Factor of the outputs after priors are subtracted")
    frames_per_chunk: int = option(24, "Frames (of input) of which the outputs are computed together")

    def check_chunks(self) -> None:
        """Raises KaldiError for values out of range."""
        self.check_precision()
        if self.extra_left_context_initial < 0:
            raise KaldiError("--extra-left-context-initial must not be negative")
        if self.frame_subsampling_factor < 1 or self.frames_per_chunk < 1:
            raise KaldiError("--frame-subsampling-factor and --frames-per-chunk must be > 0")
        if not self.acoustic_scale > 0:
            raise KaldiError(f"--acoustic-scale={self.acoustic_scale:g} must be positive")
