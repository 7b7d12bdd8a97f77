"""nnet-pytorch-post-to-tacc: twin of post-to-tacc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR, POSTERIOR

USAGE = """Sum posteriors of transition-ids over all frames, for each transition-id or each pdf.
Usage: nnet-pytorch-post-to-tacc [options] <model> <post-rspecifier> <accs>
e.g.: nnet-pytorch-post-to-tacc --binary=false 1.mdl 'ark:nnet-pytorch-ali-to-post ark:1.ali ark:- |' 1.tacc"""


@dataclass
class Options(OutputOptions):
    """Options of post-to-tacc."""

    per_pdf: bool = option(False, "Sum for each pdf-id rather than for each transition-id (whose sums begin with 1)")


def post_to_tacc(options: Options, model_in: str, posteriors: str, accs: str) -> int:
    model = read_transition_model(model_in)
    sums: np.ndarray = np.zeros(model.num_transition_ids + 1)
    done = 0
    with SequentialReader(posteriors, POSTERIOR) as reader:
        for key, posterior in reader:
            for index, weight in (pair for frame in posterior for pair in frame):
                if not 0 < index <= model.num_transition_ids:
                    raise KaldiError(f"Invalid transition-id {index} encountered for utterance {key}")
                sums[index] += weight
            done += 1
    if options.per_pdf:
        log.info("accumulate counts per pdf-id")
        # As Kaldi, which leaves out the last transition-id.
        sums = np.bincount(model.id_to_pdf[1:-1], weights=sums[1:-1], minlength=model.num_pdfs)
    with open_output(accs) as stream:
        FLOAT_VECTOR.write(stream, options.binary, sums)
    log.info(f"Done computing transition stats over {done} utterances; wrote stats to {accs}")
    return 0 if done else 1


main = command(post_to_tacc, usage=USAGE)

if __name__ == "__main__":
    main()
