"""nnet-pytorch-fmpe-apply-transform: twin of fmpe-apply-transform."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.gmm.fmpe import Fmpe
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Apply an fMPE transform to features. The Gaussians that frames belong to are selected before (gmm-gselect).
Usage: nnet-pytorch-fmpe-apply-transform [options] <fmpe-in> <feats-rspecifier> <gselect-rspecifier>
 <feats-wspecifier>
e.g.: nnet-pytorch-fmpe-apply-transform 1.fmpe scp:feats.scp 'ark:gunzip -c gselect.1.gz |' ark:-"""


@dataclass
class Options:
    """Options of fmpe-apply-transform."""

    add_to_features: bool = option(
        True, "If true, add original features to fMPE offsets (false useful for diagnostics)"
    )


def fmpe_apply_transform(options: Options, fmpe_in: str, feats_in: str, gselect: str, feats_out: str) -> int:
    fmpe = Fmpe.read(fmpe_in)
    loop = TableLoop()
    with (
        SequentialReader(feats_in, FLOAT_MATRIX) as reader,
        FrameChoices(gselect, "", fmpe.mixture.num_gaussians) as choices,
        TableWriter(feats_out, FLOAT_MATRIX) as writer,
    ):
        for key, feats in reader:
            with loop.entry(key):
                if not len(feats):
                    raise EntryError(f"utterance {key} has no frames")
                selection, _ = choices.of(key, len(feats))
                assert selection is not None
                offsets = fmpe.offsets(feats, selection)
                writer.write(key, offsets + feats if options.add_to_features else offsets)
    log.info(f" Done {loop.done} utterances, {loop.failed} had errors.")
    return loop.status


main = command(fmpe_apply_transform, usage=USAGE)

if __name__ == "__main__":
    main()
