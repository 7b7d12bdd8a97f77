"""Options of the program for x-vectors, with Kaldi's names and defaults (nnet3-xvector-compute.cc)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError

IGNORED = "As in Kaldi's program, which sees each chunk as it is"


@dataclass
class EmbeddingOptions:
    """How recordings are cut into chunks, whose vectors are averaged."""

    chunk_size: int = option(-1, "Frames of the chunks whose vectors are averaged; -1: the whole utterance is one")
    min_chunk_size: int = option(100, "Least frames of which there is a vector")
    pad_input: bool = option(True, "Repeat the first and last frames of chunks shorter than --min-chunk-size")

    def check(self) -> None:
        """Raises KaldiError for sizes with which nothing can be computed."""
        if not (self.chunk_size > 0 or self.chunk_size == -1) or self.min_chunk_size < 0:
            raise KaldiError("--chunk-size must be positive or -1, --min-chunk-size not negative")
        if self.chunk_size != -1 and self.chunk_size < self.min_chunk_size and not self.pad_input:
            raise KaldiError(
                f"--min-chunk-size={self.min_chunk_size} is greater than --chunk-size={self.chunk_size}: with "
                "--pad-input=false all chunks would be left out"
            )


@dataclass
class BatchedEmbeddingOptions:
    """Kaldi's BatchedXvectorComputerOptions: all chunks have one size, and overlap or leave gaps."""

    chunk_size: int = option(150, "Frames of a chunk, the context of the network included")
    batch_size: int = option(32, "Chunks that are computed at once")
    pad_input: bool = option(True, "Repeat the last frame of utterances shorter than a chunk")


@dataclass
class IgnoredOptions:
    """What Kaldi's program takes too, and does not use."""

    extra_left_context: int = without_effect(0, IGNORED)
    extra_right_context: int = without_effect(0, IGNORED)
    extra_left_context_initial: int = without_effect(-1, IGNORED)
    extra_right_context_final: int = without_effect(-1, IGNORED)
    frame_subsampling_factor: int = without_effect(1, IGNORED)
    frames_per_chunk: int = without_effect(50, IGNORED)
    acoustic_scale: float = without_effect(1.0, IGNORED)
    cached_compiler_in: str = without_effect("", "Nothing is compiled here")
    cached_compiler_out: str = without_effect("", "Nothing is compiled here")
    cache_capacity: int = without_effect(64, "Nothing is compiled here")
    use_shortcut: bool = without_effect(True, "Nothing is compiled here")
