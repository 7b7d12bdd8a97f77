"""nnet-pytorch-copy-feats-to-htk: twin of copy-feats-to-htk."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.features.foreign_files import write_files
from kaldi_bridge.io.htk import FRAME_PERIOD, USER, write_htk

USAGE = """Write the features of each utterance to an HTK file of its own, named after the utterance.
Usage: nnet-pytorch-copy-feats-to-htk [options] <feats-rspecifier>
e.g.: nnet-pytorch-copy-feats-to-htk --output-dir=htk --output-ext=fea scp:feats.scp"""


@dataclass
class Options:
    """Options of copy-feats-to-htk."""

    output_dir: str = option("./", "Directory of the files; made where there is none")
    output_ext: str = option("fea", "Extension of the files")
    sample_period: int = option(FRAME_PERIOD, "Period of a frame in 100 ns")
    sample_kind: int = option(USER, "HTK's code of the kind of features: 6 MFCC, 7 FBANK, 9 USER, 11 PLP")


def copy_feats_to_htk(options: Options, feats_rspecifier: str) -> int:
    done = write_files(
        feats_rspecifier,
        options.output_dir,
        options.output_ext,
        lambda out, feats: write_htk(out, feats, options.sample_kind, options.sample_period),
    )
    log.info(f"{done} HTK feature files generated in the directory: {options.output_dir}")
    return 0 if done else 1


main = command(copy_feats_to_htk, usage=USAGE)

if __name__ == "__main__":
    main()
