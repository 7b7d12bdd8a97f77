"""Chain examples without alignments: whole utterances, whose training graphs are their supervisions (Kaldi's e2e).

Of each utterance the graph of its transcript, from transition-ids to words, becomes an acceptor of pdfs with all its
loops: where phones begin and end is left open (chainbin/nnet3-chain-e2e-get-egs.cc).
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.examples.chain_examples import TOKEN, ChainOutput
from kaldi_bridge.examples.cutting import InputCutter, frame_indexes, packed
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.examples.utterance_splitting import Chunk, ChunkOptions, chunk_sizes
from kaldi_bridge.fsts.acceptors import Acceptor, without_epsilons
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.packed_acceptors import PackedAcceptor
from kaldi_bridge.hmm.transition_model import TransitionModel
from nnet3_compat.chain.normalization import normalized

MOST_EXTENSION = 4
"""By how many frames an utterance may miss the nearest allowed length."""
_FURTHEST = 100  # an allowed length that is not even this near is none


def pdf_acceptor(graph: Fst, model: TransitionModel) -> Acceptor:
    """The pdfs plus one of a training graph's transition-ids, without epsilons.

    Raises KaldiError when a label is no transition-id of the model.
    """
    acceptor = without_epsilons(Acceptor.of_input(graph))
    model.checked([label for arcs in acceptor.arcs for label, _, _ in arcs])
    pdf = (model.id_to_pdf + 1).tolist()
    acceptor.arcs = [[(pdf[label], cost, t) for label, cost, t in arcs] for arcs in acceptor.arcs]
    return acceptor


class FlatStartMaker:
    """Makes an example of each utterance.

    Args:
        options: contexts, and the lengths that utterances may have.
        normalization: whose costs are added to the supervisions; None: to be added later.
    """

    def __init__(
        self,
        options: ChunkOptions,
        random: CRandom,
        model: TransitionModel,
        normalization: PackedAcceptor | None = None,
        compress: bool = True,
    ) -> None:
        """Raises KaldiError for options that make no sense."""
        self._options, self._random, self._model = options, random, model
        self._normalization, self._compress = normalization, compress
        self._lengths = chunk_sizes(options)

    def make(
        self, key: str, features: np.ndarray, graph: Fst, ivectors: np.ndarray | None = None, ivector_period: int = 1
    ) -> bytes:
        """An example in binary form.

        ``features`` [frames, dim]; ``ivectors`` [rows, dim], one for each ``ivector_period`` frames.
        Raises EntryError where there are more phones than frames, KaldiError where no allowed length is near.
        """
        options, factor = self._options, self._options.frame_subsampling_factor
        extension = self._extension(key, len(features))
        outputs = -(-(len(features) + extension) // factor)
        supervision = self._supervision(key, graph, outputs)
        initial, final = options.left_context_initial, options.right_context_final
        chunk = Chunk(
            0,
            len(features) + extension,
            initial if initial >= 0 else options.left_context,
            final if final >= 0 else options.right_context,
            np.ones(outputs, np.float32),
        )
        self._random.rand()  # by which Kaldi chooses some supervisions to be checked
        inputs = InputCutter(packed(features), ivectors, ivector_period, self._compress, self._random)
        output = ChainOutput("output", frame_indexes(0, outputs, factor), supervision, chunk.output_weights)
        return inputs.pack_example(TOKEN, chunk, len(features), output)

    def _extension(self, key: str, frames: int) -> int:
        """By how much the utterance is made longer, or, if negative, shorter."""
        off = min((frames - length for length in self._lengths), key=abs, default=_FURTHEST)
        off = off if abs(off) < _FURTHEST else _FURTHEST
        if off:
            log.warning(
                f"No exact match found for the length of utt {key} which has length: {frames} closest allowed length "
                f"is off by {off} frames. Will try to fix it.."
            )
        if abs(off) > MOST_EXTENSION:
            raise KaldiError(f"Too much length difference for utterance {key}")
        return -off

    def _supervision(self, key: str, graph: Fst, outputs: int) -> Supervision:
        acceptor = pdf_acceptor(graph, self._model)
        least = shortest_length(acceptor)
        if least is None or least > outputs:
            raise EntryError(
                f"For utterance {key}, there are too many phones for too few frames; Number of subsampled frames: "
                f"{outputs}, Minimum number of frames required by the fst: {least}"
            )
        supervision = Supervision(1.0, 1, outputs, self._model.num_pdfs, None, [acceptor.packed().to_fst()])
        if self._normalization is None:
            return supervision
        made = normalized(supervision, self._normalization)
        if made is None:
            log.warning(
                f"For utterance {key}, FST was empty after composing with normalization FST. This should be extremely "
                "rare (a few per corpus, at most)"
            )
        return made or supervision


def shortest_length(acceptor: Acceptor) -> int | None:
    """The fewest arcs from the start to a final state; None where there is no path."""
    level = {acceptor.start} if acceptor.start >= 0 else set()
    seen, length = set(level), 0
    while level:
        if any(acceptor.finals[state] < float("inf") for state in level):
            return length
        level = {target for state in level for _, _, target in acceptor.arcs[state]} - seen
        seen |= level
        length += 1
    return None
