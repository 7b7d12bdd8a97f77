"""nnet-pytorch-get-egs: twin of nnet3-get-egs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.frame_example_making import PACKED_POSTERIOR
from nnet3_compat.examples.making import FrameExampleOptions, make_frame_examples

USAGE = """Make training examples with a target for each frame: cut features and posteriors of pdfs into chunks.
Usage: nnet-pytorch-get-egs [options] <features-rspecifier> <pdf-post-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-ali-to-pdf final.mdl 'ark:gunzip -c ali.1.gz |' ark:- | nnet-pytorch-ali-to-post ark:- ark:- | \\
 nnet-pytorch-get-egs --num-pdfs=2658 --left-context=12 --right-context=9 --num-frames=8 scp:f.scp ark:- ark:1.egs"""


@dataclass
class Options(FrameExampleOptions):
    """Options of nnet3-get-egs."""

    num_pdfs: int = option(-1, "Number of pdfs in the acoustic model")


def get_egs(options: Options, features: str, posteriors: str, egs: str) -> int:
    if options.num_pdfs <= 0:
        raise KaldiError("--num-pdfs options is required.")

    def targets_of(key: str, posterior: Any) -> tuple[Any, int]:
        return (posterior, options.num_pdfs), posterior.rows

    return make_frame_examples(options, features, posteriors, PACKED_POSTERIOR, targets_of, egs)


main = command(get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
