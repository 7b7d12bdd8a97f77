"""nnet-pytorch-tree-info: twin of tree-info."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.hmm.tree import read_tree

USAGE = """Print information about a phonetic decision tree: its number of pdfs, the width of its context.
Usage: nnet-pytorch-tree-info <tree-in>
e.g.: nnet-pytorch-tree-info tree"""


@dataclass
class Options:
    """No options of its own."""


def tree_info(options: Options, tree_in: str) -> int:
    tree = read_tree(tree_in)
    write_stdout(f"num-pdfs {tree.num_pdfs}\ncontext-width {tree.width}\ncentral-position {tree.central}\n")
    return 0


main = command(tree_info, usage=USAGE)

if __name__ == "__main__":
    main()
