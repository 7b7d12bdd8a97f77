"""What lattice-to-mpe-post and lattice-to-smbr-post do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.io.integer_sets import split_integers
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.expected_accuracy import Accuracy, accuracy_posteriors
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR, POSTERIOR


@dataclass
class AccuracyOptions(ScaleOptions):
    """Options of lattice-to-mpe-post and lattice-to-smbr-post."""

    one_silence_class: bool = option(
        False, "Silence in place of silence is right, which tends to reduce insertions; else silence is never right"
    )
    silence_phones: str = option("", "Colon-separated list of integer id's of silence phones, e.g. 46:47")


def write_accuracy_posteriors(
    options: AccuracyOptions,
    kind: Callable[[TransitionModel, Sequence[int], bool], Accuracy],
    model_in: str,
    alignments_rspecifier: str,
    lattices_rspecifier: str,
    posteriors_wspecifier: str,
) -> int:
    """Of every lattice that has an alignment; reports, and returns the exit status."""
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    silence = split_integers(options.silence_phones, "--silence-phones")
    if not silence:
        log.warning("No silence phones specified, make sure this is what you intended.")
    accuracy = kind(read_transition_model(model_in), silence, options.one_silence_class)
    done = frames = 0
    right = 0.0
    with (
        SequentialReader(lattices_rspecifier, LATTICE) as lattices,
        RandomAccessReader(alignments_rspecifier, INT32_VECTOR) as alignments,
        TableWriter(posteriors_wspecifier, POSTERIOR) as writer,
    ):
        for key, lattice in lattices:
            if key not in alignments:
                log.warning(f"No alignment for utterance {key}")
                continue
            with within(f"{lattices_rspecifier}: lattice {key}"):
                scaled = scale(lattice, options.acoustic_scale, options.lm_scale)
                posteriors, expected = accuracy_posteriors(scaled, alignments[key], accuracy)
            writer.write(key, posteriors)
            right += expected
            frames += len(posteriors)
            done += 1
    log.info(
        f"Overall average frame-accuracy is {right / frames if frames else float('nan'):g} over {frames:g} frames."
    )
    log.info(f"Done {done} lattices.")
    return 0 if done else 1
