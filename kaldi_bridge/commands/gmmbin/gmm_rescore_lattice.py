"""nnet-pytorch-gmm-rescore-lattice: twin of gmm-rescore-lattice."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.front_end import Features, FrontEndOptions
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.rescoring import rescored
from kaldi_bridge.lattices.determinization import WordDeterminizationOptions, determinize_words_scaled
from kaldi_bridge.lattices.lattice import to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Replace the acoustic scores on lattices by those of another model.
Usage: nnet-pytorch-gmm-rescore-lattice [options] <model-in> <lattice-rspecifier> <feature-rspecifier>
 <lattice-wspecifier>
e.g.: nnet-pytorch-gmm-rescore-lattice 1.mdl ark:1.lats scp:trn.scp ark:2.lats"""


@dataclass
class Options(FrontEndOptions, AcousticScaleOptions):
    """Options of gmm-rescore-lattice."""

    old_acoustic_scale: float = option(0.0, "Add in the scores of the input lattices with this scale")
    determinize_beam: float = option(0.0, "Then determinize with this beam, as lattice-determinize-pruned does; 0: not")
    acoustic_scale: float = option(1.0, "With --determinize-beam: scale of acoustic likelihoods meanwhile")


def gmm_rescore_lattice(options: Options, model_in: str, lattices: str, feats: str, wspecifier: str) -> int:
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    model = AcousticModel.read(model_in)
    loop = TableLoop()
    frames = 0
    with (
        SequentialReader(lattices, COMPACT_LATTICE) as reader,
        Features(options, feats) as features,
        TableWriter(wspecifier, COMPACT_LATTICE) as writer,
    ):
        for utterance, lattice in reader:
            with loop.entry(utterance):
                if utterance not in features:
                    raise EntryError(f"No feature found for utterance {utterance}. Skipping")
                matrix = features.of(utterance)
                result = rescored(model, lattice, matrix, options.old_acoustic_scale)
                if options.determinize_beam:
                    result = determinize_words_scaled(
                        to_lattice(result),
                        options.acoustic_scale,
                        options.determinize_beam,
                        WordDeterminizationOptions(),
                    )
                writer.write(utterance, result)
                frames += len(matrix)
    log.info(f"Done {loop.done} lattices with errors on {loop.failed}, #frames is {frames}")
    return loop.status


main = command(gmm_rescore_lattice, usage=USAGE)

if __name__ == "__main__":
    main()
