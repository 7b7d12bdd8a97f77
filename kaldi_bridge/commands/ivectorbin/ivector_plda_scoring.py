"""nnet-pytorch-ivector-plda-scoring: twin of ivector-plda-scoring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.ivectors.plda import Plda, PldaOptions, SpeakerScorer, read_plda
from kaldi_bridge.ivectors.trials import Trials, write_scores
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR, INT32

USAGE = """Score trials, lines of a speaker and an utterance, by a PLDA model: the log of the ratio of likelihoods.
For the speakers there are means of i-vectors, and with --num-utts of how many; else of one each.
Usage: nnet-pytorch-ivector-plda-scoring [options] <plda> <train-ivector-rspecifier> <test-ivector-rspecifier> \\
 <trials-rxfilename> <scores-wxfilename>
e.g.: nnet-pytorch-ivector-plda-scoring --num-utts=ark:num_utts.ark plda ark:spk_ivectors.ark ark:ivectors.ark \\
 trials scores"""

BLOCK = 4096  # trials at once


@dataclass
class Options(PldaOptions):
    """Options of ivector-plda-scoring."""

    num_utts: str = option("", "Rspecifier of the number of utterances of each speaker")


def ivector_plda_scoring(options: Options, plda_in: str, train: str, test: str, trials_in: str, scores_out: str) -> int:
    plda = read_plda(plda_in)
    log.info("Reading train iVectors")
    speakers, counts, failed = _enrolled(train, options.num_utts)
    log.info(f"Read {len(speakers)} training iVectors, errors on {failed}")
    scorer = plda.scorer(_transformed(plda, speakers, counts, options, "training"), counts)
    log.info("Reading test iVectors")
    tests = _read(test, "test iVector found for utterance")
    log.info(f"Read {len(tests)} test iVectors.")
    vectors = _transformed(plda, tests, 1, options, "test")
    trials = Trials(trials_in, speakers, tests, ("training iVectors", "test iVectors"))
    done = write_scores(scores_out, _scored(trials, scorer, list(speakers), list(tests), vectors), "score")
    log.info(f"Processed {done} trials, {trials.failed} had errors.")
    return 0 if done else 1


def _read(rspecifier: str, what: str) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with SequentialReader(rspecifier, FLOAT_VECTOR) as reader:
        for key, ivector in reader:
            if key in found:
                raise KaldiError(f"Duplicate {what} {key}")
            found[key] = ivector
    return found


def _enrolled(rspecifier: str, num_utts: str) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Speakers' i-vectors, how many utterances each is the mean of, and how many speakers lack that number."""
    speakers = _read(rspecifier, "training iVector found for speaker")
    if not num_utts:
        return speakers, np.ones(len(speakers), np.int64), 0
    counts = {}
    with ExitStack() as stack:
        table = stack.enter_context(RandomAccessReader(num_utts, INT32))
        for speaker in speakers:
            if speaker in table:
                counts[speaker] = table[speaker]
            else:
                log.warning(f"Number of utterances not given for speaker {speaker}")
    known = {speaker: speakers[speaker] for speaker in counts}
    return known, np.array(list(counts.values()), np.int64), len(speakers) - len(known)


def _transformed(
    plda: Plda, ivectors: dict[str, np.ndarray], counts: np.ndarray | int, options: Options, what: str
) -> np.ndarray:
    if not ivectors:
        raise KaldiError(f"No {what} iVectors present.")
    for key, ivector in ivectors.items():
        if len(ivector) != plda.dim:
            raise KaldiError(f"{key}: an i-vector of dimension {len(ivector)}, but the PLDA model has {plda.dim}")
    with within(f"{what} iVectors"):
        vectors, factors = plda.transformed(np.stack(list(ivectors.values())), counts, options)
    log.info(f"Average renormalization scale on {what} iVectors was {factors.mean():g}")
    return vectors


def _scored(
    trials: Trials, scorer: SpeakerScorer, speakers: list[str], tests: list[str], vectors: np.ndarray
) -> Iterator[tuple[str, str, float]]:
    rows = {key: i for i, key in enumerate(speakers)}
    columns = {key: i for i, key in enumerate(tests)}
    pairs = iter(trials)
    while block := list(islice(pairs, BLOCK)):
        first, second = (np.array(part) for part in zip(*((rows[a], columns[b]) for a, b in block), strict=True))
        for (speaker, utterance), score in zip(block, scorer.pairs(first, vectors[second]).tolist(), strict=True):
            yield speaker, utterance, score


main = command(ivector_plda_scoring, usage=USAGE)

if __name__ == "__main__":
    main()
