"""nnet-pytorch-lattice-to-mpe-post: twin of lattice-to-mpe-post."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.lattices.accuracy_program import AccuracyOptions, write_accuracy_posteriors
from kaldi_bridge.lattices.expected_accuracy import Accuracy

USAGE = """Write, for each frame, by how much its transition-ids raise the expected accuracy of a lattice's paths.
Minimum phone frame error: the frames' phones are to be right, as for MPE training.
They may be negative, and are for gmm-acc-stats2 or similar.
Usage: nnet-pytorch-lattice-to-mpe-post [options] <model> <alignments-rspecifier> <lattice-rspecifier> \\
    <posterior-wspecifier>
e.g.: nnet-pytorch-lattice-to-mpe-post --acoustic-scale=0.1 1.mdl ark:num.ali ark:1.lats ark:1.post"""


def lattice_to_mpe_post(
    options: AccuracyOptions, model_in: str, alignments: str, lattice_rspecifier: str, posterior_wspecifier: str
) -> int:
    return write_accuracy_posteriors(
        options, Accuracy.of_phones, model_in, alignments, lattice_rspecifier, posterior_wspecifier
    )


main = command(lattice_to_mpe_post, usage=USAGE)

if __name__ == "__main__":
    main()
