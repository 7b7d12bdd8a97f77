"""nnet-pytorch-lattice-to-smbr-post: twin of lattice-to-smbr-post."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lattices.accuracy_program import AccuracyOptions, write_accuracy_posteriors
from kaldi_bridge.lattices.expected_accuracy import Accuracy

USAGE = """Write, for each frame, by how much its transition-ids raise the expected accuracy of a lattice's paths.
State-level minimum Bayes risk: the frames' pdfs are to be right.
They may be negative, and are for gmm-acc-stats2 or similar.
Usage: nnet-pytorch-lattice-to-smbr-post [options] <model> <alignments-rspecifier> <lattice-rspecifier> \\
    <posterior-wspecifier>
e.g.: nnet-pytorch-lattice-to-smbr-post --acoustic-scale=0.1 1.mdl ark:num.ali ark:1.lats ark:1.post"""


def lattice_to_smbr_post(
    options: AccuracyOptions, model_in: str, alignments: str, lattice_rspecifier: str, posterior_wspecifier: str
) -> int:
    return write_accuracy_posteriors(
        options, Accuracy.of_pdfs, model_in, alignments, lattice_rspecifier, posterior_wspecifier
    )


main = command(lattice_to_smbr_post, usage=USAGE)

if __name__ == "__main__":
    main()
