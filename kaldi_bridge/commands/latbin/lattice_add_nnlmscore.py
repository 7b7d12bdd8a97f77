"""nnet-pytorch-lattice-add-nnlmscore: twin of lattice-add-nnlmscore."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.lattices.arc_scores import add_arc_scores, read_arc_scores
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.rescoring_program import RescoreOptions
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Add scores of arcs, which a neural language model gave, to the graph costs of lattices.
Usage: nnet-pytorch-lattice-add-nnlmscore [options] <lattice-rspecifier> <nnlm-scores-rxfilename> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-add-nnlmscore --lm-scale=0.8 ark:in.lats nnlm_scores.txt ark:out.lats
Lines of scores: <utterance> <state> <next-state> <score>; the same state twice: the end of the sentence there."""


@dataclass
class Options(RescoreOptions):
    """Options of lattice-add-nnlmscore."""


def lattice_add_nnlmscore(
    options: Options, lattice_rspecifier: str, nnlm_scores_rxfilename: str, lattice_wspecifier: str
) -> int:
    done = 0
    scores = read_arc_scores(nnlm_scores_rxfilename, options.lm_scale)
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            if key not in scores:
                raise KaldiError(f"{nnlm_scores_rxfilename} has no scores for the lattice of {key}")
            with within(f"lattice of {key}"):
                writer.write(key, add_arc_scores(lattice, scores[key]))
            done += 1
    log.info(f"Done with adding neural language model scores to {done} lattices.")
    return 0 if done else 1


main = command(lattice_add_nnlmscore, usage=USAGE)

if __name__ == "__main__":
    main()
