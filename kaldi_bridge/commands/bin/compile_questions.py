"""nnet-pytorch-compile-questions: twin of compile-questions."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.io.integer_sets import read_sets
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_topology, write_object
from kaldi_bridge.tree_building.questions import Questions

USAGE = """Compile questions.
Usage: nnet-pytorch-compile-questions [options] <topo> <questions-text-file> <questions-out>
e.g.: nnet-pytorch-compile-questions topo questions.txt questions.qst"""


@dataclass
class Options(OutputOptions):
    """Options of compile-questions."""

    context_width: int = option(3, "Context window size [must match acc-tree-stats].")
    central_position: int = option(1, "Does not have any effect, as in Kaldi")
    num_iters_refine: int = option(0, "Passes of refining questions at each node")


def compile_questions(options: Options, topology_in: str, questions_in: str, questions_out: str) -> None:
    questions = Questions.for_phones(read_sets(questions_in), read_topology(topology_in), options.context_width)
    questions.refinements = options.num_iters_refine
    write_object(questions_out, questions, options.binary)
    log.info(f"Wrote questions to {questions_out}")


main = command(compile_questions, usage=USAGE)

if __name__ == "__main__":
    main()
