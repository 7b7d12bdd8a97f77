"""nnet-pytorch-path: prints a directory of links to our programs under Kaldi's names."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, write_stdout
from nnet3_compat.machine.links import link_folder

USAGE = """Print the directory where the nnet-pytorch programs stand under the names of Kaldi's.
Lattice and feature programs are there only where Kaldi's own are not on the PATH.
Usage: nnet-pytorch-path
e.g.: export PATH="$(nnet-pytorch-path):$PATH" """


@dataclass
class Options:
    """No options of its own."""


def path(options: Options) -> int:
    write_stdout(f"{link_folder()}\n")
    return 0


main = command(path, usage=USAGE)

if __name__ == "__main__":
    main()
