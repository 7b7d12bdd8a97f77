"""nnet-pytorch-demo: decodes digits with what is installed, and shows how."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command, option, write_stdout
from nnet3_compat.machine.demonstration import lay_out, run_line

USAGE = """Decode recordings of digits with a small model that comes with the installation, through a chain of
programs under Kaldi's names, and print each command line with what comes out of it. Without recordings: synthetic
speech that comes with it too, and its word error rate.
Usage: nnet-pytorch-demo [options] [<recording1.wav> ...]
e.g.: nnet-pytorch-demo --dir=demo
      arecord -f S16_LE -r 8000 -d 4 digits.wav && nnet-pytorch-demo digits.wav"""


@dataclass
class Options:
    dir: str = option("", "Directory for all files, which stay there, to go on with; else a temporary one")


def demo(options: Options, *recordings: str) -> int:
    with nullcontext(options.dir) if options.dir else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for line in lay_out(folder, recordings):
            write_stdout(f"$ {line}\n")
            write_stdout(run_line(folder, line))
    if options.dir:
        log.info(f"In {options.dir} are the files; nnet-pytorch-path --all prints where the programs are.")
    return 0


main = command(demo, usage=USAGE)

if __name__ == "__main__":
    main()
