"""Examples for discriminative training, of an utterance (nnet3bin/nnet3-discriminative-get-egs.cc)."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.examples.cutting import InputCutter
from kaldi_bridge.examples.discriminative_splitting import DiscriminativeSplitter, SplittingOptions
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.hmm.transition_model import TransitionModel


class DiscriminativeExampleMaker:
    """Cuts utterances into examples."""

    def __init__(self, splitter: UtteranceSplitter, model: TransitionModel, options: SplittingOptions) -> None:
        """Raises KaldiError for options that make no sense."""
        options.check()
        self._splitter, self._model, self._options = splitter, model, options

    def make(self, key: str, frames: int, inputs: InputCutter, supervision: DiscriminativeSupervision) -> bytes | None:
        """Examples of an utterance of so many input frames, as entries of an archive; none where it is too short.

        None, and a warning, where its supervision is of another length. Raises KaldiError where it cannot be cut.
        """
        if not self._splitter.lengths_match(key, frames, supervision.num_frames, 0):
            return None
        chunks = self._splitter.cut(frames)
        if not chunks:
            log.warning(f"Not producing egs for utterance {key} because it is too short: {frames} frames.")
            return b""
        cutter = DiscriminativeSplitter(supervision, self._model, self._options)
        return inputs.pack_discriminative_examples(key, chunks, frames, cutter.targets)
