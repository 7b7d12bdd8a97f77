"""nnet-pytorch-gmm-fmpe-acc-stats: twin of gmm-fmpe-acc-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.feature_derivatives import FeatureDerivatives
from kaldi_bridge.gmm.fmpe import Fmpe
from kaldi_bridge.gmm.frame_choices import FrameChoices
from kaldi_bridge.gmm.statistics import Statistics
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, SPARSE_POSTERIOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Accumulate statistics for training an fMPE transform, with a model of transformed features. Features are
those before the transform; posteriors those of the numerator minus those of the denominator.
Usage: nnet-pytorch-gmm-fmpe-acc-stats [options] <model-in> <fmpe-in> <feature-rspecifier> <gselect-rspecifier>
 <posteriors-rspecifier> <fmpe-stats-out>
e.g.: nnet-pytorch-gmm-fmpe-acc-stats --model-derivative=1.deriv 1.mdl 1.fmpe scp:feats.scp ark:1.gselect
 ark:1.post 1.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-fmpe-acc-stats."""

    model_derivative: str = option(
        "",
        "Derivative of the model, of gmm-get-stats-deriv, for the indirect differential: only for MMI and BMMI, with "
        "statistics that are not canceled",
    )


def gmm_fmpe_acc_stats(
    options: Options,
    model_in: str,
    fmpe_in: str,
    feats_in: str,
    gselect: str,
    posteriors_in: str,
    stats_out: str,
) -> int:
    model, fmpe = AcousticModel.read(model_in), Fmpe.read(fmpe_in)
    by_model = None
    if options.model_derivative:
        by_model = sum_of_files(Statistics.read_mixtures, [options.model_derivative])
    derivatives, statistics = FeatureDerivatives(model, by_model), fmpe.statistics()
    loop, frames = TableLoop(), 0
    with (
        SequentialReader(feats_in, FLOAT_MATRIX) as reader,
        FrameChoices(gselect, "", fmpe.mixture.num_gaussians) as choices,
        RandomAccessReader(posteriors_in, SPARSE_POSTERIOR) as posteriors,
    ):
        for key, feats in reader:
            with loop.entry(key):
                posterior = posteriors.get(key)
                if posterior is None:
                    raise EntryError(f"No posteriors for utterance {key}")
                if len(posterior) != len(feats) or not len(feats):
                    raise EntryError(f"Posterior vector has wrong size {len(posterior)} vs. {len(feats)}")
                selection, _ = choices.of(key, len(feats))
                assert selection is not None
                direct, indirect = derivatives.of(feats + fmpe.offsets(feats, selection), posterior)
                if by_model is not None:
                    statistics.add_checks(feats, direct, indirect)
                fmpe.accumulate(statistics, feats, selection, direct + indirect)
                frames += len(feats)
            if loop.done and loop.done % 100 == 0:
                log.info(f"Processed {loop.done} utterances.")
    log.info(f"Done {loop.done} files, {loop.failed} with errors.")
    average = derivatives.log_likelihood / frames if frames else float("nan")
    log.info(f"Overall weighted acoustic likelihood per frame is {average:g} over {frames} frames.")
    with open_output(stats_out) as stream:
        write_header(stream, options.binary)
        statistics.write(stream, options.binary)
    return loop.status


main = command(gmm_fmpe_acc_stats, usage=USAGE)

if __name__ == "__main__":
    main()
