"""The options of computation that goes on chunk by chunk, with Kaldi's names and defaults."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option


@dataclass
class LoopedOptions:
    """Kaldi's NnetSimpleLoopedComputationOptions."""

    extra_left_context_initial: int = option(
        0, "Frames that the first chunk gets beyond the left context of the network"
    )
    frame_subsampling_factor: int = option(
        1, "Compute one output for so many frames of input (3 for most chain models)"
    )
    acoustic_scale: float = option(0.1, "Factor of the outputs after priors are subtracted")
    frames_per_chunk: int = option(24, "Frames (of input) of which the outputs are computed together")
