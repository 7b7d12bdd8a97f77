"""nnet-pytorch-show-transitions: twin of show-transitions."""

from __future__ import annotations

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.transition_listing import lines_of
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.lang.symbol_table import SymbolTable

USAGE = """Print the states and transitions of a transition model, and counts of pdfs, for people.
Usage: nnet-pytorch-show-transitions <phones-symbol-table> <model> [<occs-file>]
e.g.: nnet-pytorch-show-transitions phones.txt 1.mdl 1.occs"""


def show_transitions(symbols_in: str, model_in: str, occupancies_in: str | None = None) -> None:
    symbols, model = SymbolTable.read(symbols_in).symbols, read_transition_model(model_in)
    occupancies = None if occupancies_in is None else read_vector_file(occupancies_in)
    with within(occupancies_in or model_in):
        write_stdout("".join(f"{line}\n" for line in lines_of(model, symbols, occupancies)))


main = command(show_transitions, usage=USAGE)

if __name__ == "__main__":
    main()
