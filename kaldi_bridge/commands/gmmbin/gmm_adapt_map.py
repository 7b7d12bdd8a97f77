"""nnet-pytorch-gmm-adapt-map: twin of gmm-adapt-map."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.model import MIXTURES
from kaldi_bridge.gmm.smoothing import MapOptions, map_estimate
from kaldi_bridge.gmm.statistics import Accumulator, flags_of
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import SPARSE_POSTERIOR
from kaldi_bridge.tables.utterances import FeaturesBySpeaker, Posteriors

USAGE = """Adapt a GMM to each utterance, or to each speaker with --spk2utt: maximum a posteriori estimates.
Usage: nnet-pytorch-gmm-adapt-map [options] <model-in> <feature-rspecifier> <posteriors-rspecifier>
 <map-am-wspecifier>
e.g.: nnet-pytorch-gmm-adapt-map --spk2utt=ark:spk2utt 1.mdl scp:feats.scp ark:1.post ark:map.ams"""


@dataclass
class Options(MapOptions):
    """Options of gmm-adapt-map."""

    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances")
    update_flags: str = option("mw", "Which GMM parameters will be updated: subset of mvw.")
    binary: bool = without_effect(True, "The wspecifier says how to write, as in Kaldi's program")


def gmm_adapt_map(options: Options, model_in: str, feats: str, posteriors_in: str, models_out: str) -> int:
    flags = flags_of(options.update_flags)
    update = options.update_flags.replace("a", "mvw")
    model = AcousticModel.read(model_in)
    log_likelihood = gain = frames = 0.0
    with (
        FeaturesBySpeaker(feats, options.spk2utt) as speakers,
        Posteriors(posteriors_in, SPARSE_POSTERIOR) as posteriors,
        TableWriter(models_out, MIXTURES) as writer,
    ):
        for speaker, utterances in speakers:
            accumulator = Accumulator(model, flags=flags)
            used = posteriors.done
            for utterance, matrix in utterances:
                posterior = posteriors.of(utterance, len(matrix))
                if posterior is not None:
                    with within(f"utterance {utterance}"):
                        accumulator.add_posterior(matrix, posterior)
            if posteriors.done == used and not options.spk2utt:
                continue
            statistics = accumulator.result()
            adapted, better = map_estimate(model.mixtures, statistics, options, update)
            writer.write(speaker, adapted)
            average = better / statistics.frames if statistics.frames else float("nan")
            log.info(
                f"For {speakers.what} {speaker}, objective function change from MAP was {average:g} over "
                f"{statistics.frames:g} frames."
            )
            log_likelihood += statistics.log_likelihood
            frames += statistics.frames
            gain += better
    log.info(f"Done {posteriors.done} files, {posteriors.missing + posteriors.errors} with errors")
    log.info(
        f"Overall acoustic likelihood was {log_likelihood / (frames or 1.0):g} and change in likelihod per frame was "
        f"{gain / (frames or 1.0):g} over {frames:g} frames."
    )
    return 0 if posteriors.done else 1


main = command(gmm_adapt_map, usage=USAGE)

if __name__ == "__main__":
    main()
