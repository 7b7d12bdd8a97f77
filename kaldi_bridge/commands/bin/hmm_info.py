"""nnet-pytorch-hmm-info: twin of hmm-info."""

from __future__ import annotations

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.hmm.transition_model import read_transition_model

USAGE = """Tell how many phones, pdfs, transition-ids and transition-states a transition model has.
Usage: nnet-pytorch-hmm-info [options] <model-in>
e.g.: nnet-pytorch-hmm-info final.mdl"""


def hmm_info(model_in: str) -> None:
    model = read_transition_model(model_in)
    write_stdout(
        f"number of phones {len(model.phones)}\n"
        f"number of pdfs {model.num_pdfs}\n"
        f"number of transition-ids {model.num_transition_ids}\n"
        f"number of transition-states {model.num_transition_states}\n"
    )


main = command(hmm_info, usage=USAGE)

if __name__ == "__main__":
    main()
