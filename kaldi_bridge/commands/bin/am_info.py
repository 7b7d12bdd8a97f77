"""nnet-pytorch-transitions-info: twin of am-info (nnet-pytorch-am-info is that of nnet3-am-info)."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.hmm.transition_model import read_transition_model

USAGE = """Print what the transition model is made of that a model of any kind starts with.
Usage: nnet-pytorch-transitions-info [options] <model-in>
e.g.: nnet-pytorch-transitions-info final.mdl"""


@dataclass
class Options:
    """No options of its own."""


def transitions_info(options: Options, model_in: str) -> int:
    model = read_transition_model(model_in)
    write_stdout(
        f"number of phones {len(model.phones)}\n"
        f"number of pdfs {model.num_pdfs}\n"
        f"number of transition-ids {model.num_transition_ids}\n"
        f"number of transition-states {model.num_transition_states}\n"
    )
    return 0


main = command(transitions_info, usage=USAGE)

if __name__ == "__main__":
    main()
