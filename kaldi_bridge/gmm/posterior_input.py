"""Posteriors of transition-ids as programs read them: as they are, or made of alignments or lattices on the way.

What ``ali-to-post ... | weight-silence-post ...`` and ``lattice-determinize-pruned ... | lattice-to-post ... |
weight-silence-post ...`` do in front of a program, without their processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.posterior import of_alignment, weight_silence
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.integer_sets import split_integers
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.determinization import WordDeterminizationOptions, determinize_words
from kaldi_bridge.lattices.lattice import Lattice, to_lattice
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.lattices.posteriors import frame_posteriors
from kaldi_bridge.lattices.scale_options import AcousticScaleOptions
from kaldi_bridge.tables.holders import INT32_VECTOR, SPARSE_POSTERIOR, Holder
from kaldi_bridge.tables.posterior import SparsePosterior
from kaldi_bridge.tables.utterances import Posteriors


@dataclass
class PosteriorOptions:
    """What the posteriors are made of, and the weight of silence in them."""

    posteriors_of: str = option("", 'Make the posteriors of "alignments", read in place of them, as ali-to-post does')
    silence_phones: str = option("", "Colon-separated phones that --silence-weight is for")
    silence_weight: float = option(1.0, "Multiply posteriors of --silence-phones by this, as weight-silence-post does")


@dataclass
class LatticePosteriorOptions(PosteriorOptions, AcousticScaleOptions):
    """The same, where lattices may be read too."""

    posteriors_of: str = option(
        "", 'Make the posteriors of "alignments" or "lattices", read in place of them, as {ali,lattice}-to-post do'
    )
    acoustic_scale: float = option(1.0, "With --posteriors-of=lattices: scale of acoustic likelihoods")
    determinize_beam: float = option(0.0, "With --posteriors-of=lattices: determinize them first, with this beam")


def transition_posteriors(
    rspecifier: str, options: PosteriorOptions, model: TransitionModel
) -> Posteriors[SparsePosterior]:
    """The table, open. Raises KaldiError for options that make no sense or a table that cannot be read."""
    holder, made = _source(options)
    silence = split_integers(options.silence_phones, "--silence-phones")
    if options.silence_weight == 1.0:
        return Posteriors(rspecifier, holder, made)
    if not silence:
        raise KaldiError(f"--silence-weight={options.silence_weight:g} needs --silence-phones")

    def weighted(read: Any) -> SparsePosterior:
        return weight_silence(model, made(read), silence, options.silence_weight)

    return Posteriors(rspecifier, holder, weighted)


def _source(options: PosteriorOptions) -> tuple[Holder[Any], Callable[[Any], SparsePosterior]]:
    """How to read an entry of the table, and what makes a posterior of it."""
    of_lattices = isinstance(options, LatticePosteriorOptions)
    if isinstance(options, LatticePosteriorOptions):
        if options.posteriors_of == "lattices":
            if options.acoustic_scale == 0.0:
                raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
            return LATTICE, lambda lattice: _of_lattice(lattice, options)
        if options.acoustic_scale != 1.0 or options.determinize_beam != 0.0:
            raise KaldiError("--acoustic-scale and --determinize-beam need --posteriors-of=lattices")
    if options.posteriors_of == "alignments":
        return INT32_VECTOR, of_alignment
    if options.posteriors_of:
        choices = "alignments or lattices" if of_lattices else "alignments"
        raise KaldiError(f"--posteriors-of={options.posteriors_of}: expected {choices}")
    return SPARSE_POSTERIOR, lambda posterior: posterior


def _of_lattice(lattice: Lattice, options: LatticePosteriorOptions) -> SparsePosterior:
    lattice = scale(lattice, acoustic=options.acoustic_scale)
    if options.determinize_beam:
        determinized = determinize_words(lattice, options.determinize_beam, WordDeterminizationOptions())
        lattice = to_lattice(determinized.lattice)
    return SparsePosterior.from_lists(frame_posteriors(lattice).posteriors)
