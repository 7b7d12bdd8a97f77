"""nnet-pytorch-gmm-info: twin of gmm-info."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.gmm.acoustic_model import AcousticModel

USAGE = """Write various properties of a GMM-based model to standard output.
Usage: nnet-pytorch-gmm-info [options] <model-in>
e.g.: nnet-pytorch-gmm-info 1.mdl"""


@dataclass
class Options:
    """No options of its own."""


def gmm_info(options: Options, model_in: str) -> None:
    model = AcousticModel.read(model_in)
    write_stdout(
        f"number of phones {len(model.transitions.phones)}\n"
        f"number of pdfs {model.transitions.num_pdfs}\n"
        f"number of transition-ids {model.transitions.num_transition_ids}\n"
        f"number of transition-states {model.transitions.num_transition_states}\n"
        f"feature dimension {model.mixtures.dim}\n"
        f"number of gaussians {model.mixtures.num_gaussians}\n"
    )


main = command(gmm_info, usage=USAGE)

if __name__ == "__main__":
    main()
