"""nnet-pytorch-ivector-extract: twin of ivector-extract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option, without_effect
from kaldi_bridge.errors import EntryError
from kaldi_bridge.ivectors.distribution import UtteranceStatistics
from kaldi_bridge.ivectors.model import read_model
from kaldi_bridge.ivectors.whole_utterances import WholeUtterances, checked_posterior
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, SPARSE_POSTERIOR, TOKEN_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.tables.posterior import SparsePosterior

USAGE = """Extract an i-vector for each utterance or speaker, of features and posteriors of Gaussians.
Usage: nnet-pytorch-ivector-extract [options] <model-in> <feature-rspecifier> <posteriors-rspecifier>
 <ivector-wspecifier>
e.g.: nnet-pytorch-ivector-extract final.ie "$feats" "ark,s,cs:gunzip -c post.1.gz|" ark,t:ivectors.1.ark"""


@dataclass
class Options:
    """Options of ivector-extract."""

    acoustic_weight: float = option(1.0, "Weight of what the data say, beside the prior", type="double")
    max_count: float = option(
        0.0, "If not 0: frames, times --acoustic-weight, above which statistics are scaled down", type="double"
    )
    compute_objf_change: bool = option(True, "Tell by how much i-vectors make data likelier than the default one")
    spk2utt: str = option("", "Rspecifier of the map from speaker to utterances: one i-vector for each speaker")
    num_threads: int = without_effect(1, "Sums are matrix products, which take the threads that numpy has")
    num_threads_total: int = without_effect(0, "As --num-threads")


def ivector_extract(
    options: Options, model_in: str, feature_rspecifier: str, posteriors_rspecifier: str, ivector_wspecifier: str
) -> int:
    extractor = WholeUtterances(
        read_model(model_in), options.acoustic_weight, options.max_count, options.compute_objf_change
    )
    loop, utterances, improvement, frames = TableLoop(), TableLoop(), 0.0, 0.0
    with (
        SequentialReader(
            options.spk2utt or feature_rspecifier, TOKEN_VECTOR if options.spk2utt else FLOAT_MATRIX
        ) as reader,
        RandomAccessReader(posteriors_rspecifier, SPARSE_POSTERIOR) as posteriors,
        RandomAccessReader(feature_rspecifier if options.spk2utt else "ark:/dev/null", FLOAT_MATRIX) as table,
        TableWriter(ivector_wspecifier, FLOAT_VECTOR) as writer,
    ):

        def parts_of_speaker(speaker: str, keys: list[str]) -> list[tuple[np.ndarray, SparsePosterior]]:
            parts = []
            for utterance in keys:
                with utterances.entry(utterance):
                    feats = table.get(utterance)
                    if feats is None:
                        raise EntryError(f"No features present for utterance {utterance}")
                    parts.append((feats, checked_posterior(posteriors, utterance, len(feats))))
            if not sum(len(posterior.indexes) for _, posterior in parts):
                raise EntryError(f"No stats accumulated for speaker {speaker}")
            return parts

        def statistics() -> Iterator[tuple[str, UtteranceStatistics]]:
            for key, value in reader:
                with loop.entry(key):
                    if options.spk2utt:
                        parts = parts_of_speaker(key, value)
                    else:
                        parts = [(value, checked_posterior(posteriors, key, len(value)))]
                    yield key, extractor.statistics(key, parts)

        for extracted in extractor.extracted(statistics()):
            writer.write(extracted.key, extracted.ivector)
            log.vlog(2, f"Ivector norm for {extracted.key} was {np.linalg.norm(extracted.ivector):g}")
            improvement, frames = improvement + extracted.improvement, frames + extracted.frames
    what = "speakers" if options.spk2utt else "files"
    log.info(f"Done {loop.done} {what}, {loop.failed} with errors.  Total (weighted) frames {frames:g}")
    if options.spk2utt:
        log.info(f"{utterances.done} utterances were processed, {utterances.failed} with errors.")
    if options.compute_objf_change:
        average = improvement / frames if frames else float("nan")
        log.info(
            f"Overall average objective-function change from estimating ivector was {average:g} per frame  over "
            f"{frames:g} (weighted) frames."
        )
    return loop.status


main = command(ivector_extract, usage=USAGE)

if __name__ == "__main__":
    main()
