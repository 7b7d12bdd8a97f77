"""Examples for discriminative training, of an utterance (nnet3bin/nnet3-discriminative-get-egs.cc)."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.examples.cutting import InputCutter, frame_indexes
from kaldi_bridge.examples.discriminative_examples import TOKEN, DiscriminativeOutput
from kaldi_bridge.examples.discriminative_splitting import DiscriminativeSplitter, SplittingOptions
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.hmm.transition_model import TransitionModel


class DiscriminativeExampleMaker:
    """Cuts utterances into examples; ``random`` is that of ``splitter``."""

    def __init__(
        self, splitter: UtteranceSplitter, random: CRandom, model: TransitionModel, options: SplittingOptions
    ) -> None:
        """Raises KaldiError for options that make no sense."""
        options.check()
        self._splitter, self._random = splitter, random
        self._model, self._options = model, options

    def make(
        self, key: str, frames: int, inputs: InputCutter, supervision: DiscriminativeSupervision
    ) -> list[tuple[str, bytes]] | None:
        """(key, example in binary form) pairs of an utterance of so many input frames; none where it is too short.

        None, and a warning, where its supervision is of another length. Raises KaldiError where it cannot be cut.
        """
        if not self._splitter.lengths_match(key, frames, supervision.num_frames, 0):
            return None
        chunks = self._splitter.split(frames)
        if not chunks:
            log.warning(f"Not producing egs for utterance {key} because it is too short: {frames} frames.")
            return []
        factor = self._splitter.options.frame_subsampling_factor
        cutter = DiscriminativeSplitter(supervision, self._model, self._options)
        made = []
        for number, chunk in enumerate(chunks):
            part = cutter.part(chunk.first_frame // factor, chunk.num_frames // factor, normalize=number > 0)
            self._random.rand()  # by which Kaldi chooses some supervisions to be checked
            indexes = frame_indexes(0, part.num_frames, factor)
            output = DiscriminativeOutput("output", indexes, part, chunk.output_weights)
            made.append((f"{key}-{chunk.first_frame}", inputs.pack_example(TOKEN, chunk, frames, output)))
        return made
