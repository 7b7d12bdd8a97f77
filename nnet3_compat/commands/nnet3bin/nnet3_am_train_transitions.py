"""nnet-pytorch-am-train-transitions: twin of nnet3-am-train-transitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from nnet3_compat.model.model_file import read_model, write_model
from nnet3_compat.model.priors import pdf_counts, priors_from_counts

USAGE = """Train the transition probabilities of a model from alignments,
and set its priors to the pdfs' shares in them.
Usage: nnet-pytorch-am-train-transitions [options] <model-in> <alignments-rspecifier> <model-out>
e.g.: nnet-pytorch-am-train-transitions 1.mdl "ark:gunzip -c ali.*.gz |" 2.mdl"""


@dataclass
class Options(OutputOptions):
    """Options of nnet3-am-train-transitions."""

    set_priors: bool = option(True, "Also set the priors, by which outputs are divided at test time")
    prior_floor: float = option(5e-6, "Floor of the priors")
    transition_floor: float = option(0.01, "Floor for transition probabilities")
    transition_min_count: float = option(5.0, "Minimum count required to update transitions from a state")
    share_for_pdfs: bool = option(False, "If true, share all transition parameters where the states have the same pdf.")


def am_train_transitions(options: Options, model_in: str, alignments_rspecifier: str, model_out: str) -> int:
    model = read_model(model_in)
    transitions = model.transition_model
    stats = np.zeros(transitions.num_transition_ids + 1)
    done = 0
    with SequentialReader(alignments_rspecifier, INT32_VECTOR) as alignments:
        for key, alignment in alignments:
            with within(f"{alignments_rspecifier}: utterance {key}"):
                transitions.accumulate(alignment, stats)
            done += 1
    log.info(f"Accumulated transition stats from {done} utterances.")
    improvement, count = transitions.mle_update(
        stats, options.transition_floor, options.transition_min_count, options.share_for_pdfs
    )
    average = improvement / count if count else float("nan")
    log.info(f"Transition model update: average {average:g} log-like improvement per frame over {count:g} frames.")
    if options.set_priors:
        if not 0.0 < options.prior_floor < 1.0:
            raise KaldiError(f"--prior-floor={options.prior_floor:g} must be between 0 and 1")
        log.info("Setting priors of pdfs in the model.")
        model.set_priors(priors_from_counts(pdf_counts(transitions, stats), options.prior_floor))
    write_model(model_out, model, options.binary)
    log.info(f"Trained transitions of neural network model and wrote it to {model_out}")
    return 0


main = command(am_train_transitions, usage=USAGE)

if __name__ == "__main__":
    main()
