"""nnet-pytorch-copy-feats-to-sphinx: twin of copy-feats-to-sphinx."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.features.foreign_files import write_files
from kaldi_bridge.io.sphinx import write_sphinx

USAGE = """Write the features of each utterance to a Sphinx file of its own, named after the utterance.
Usage: nnet-pytorch-copy-feats-to-sphinx [options] <feats-rspecifier>
e.g.: nnet-pytorch-copy-feats-to-sphinx --output-dir=sphinx --output-ext=mfc scp:feats.scp"""


@dataclass
class Options:
    """Options of copy-feats-to-sphinx."""

    output_dir: str = option("./", "Directory of the files; made where there is none")
    output_ext: str = option("mfc", "Extension of the files")


def copy_feats_to_sphinx(options: Options, feats_rspecifier: str) -> int:
    done = write_files(feats_rspecifier, options.output_dir, options.output_ext, write_sphinx)
    log.info(f"{done} Sphinx feature files generated in the directory: {options.output_dir}")
    return 0 if done else 1


main = command(copy_feats_to_sphinx, usage=USAGE)

if __name__ == "__main__":
    main()
