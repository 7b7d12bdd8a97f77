"""Recordings into lattices as they would come in, by GMMs that are adapted meanwhile (online2/online-gmm-decoding.cc).

After some seconds of an utterance, and then again and again, basis fMLLR is estimated from the lattice so far and all
earlier utterances of the speaker; what follows is decoded with it. At the end of an utterance its lattice is rescored.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import GaussianPosteriors, gaussian_posteriors
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.rescoring import rescored
from kaldi_bridge.gmm.transform_statistics import add_to_fmllr
from kaldi_bridge.hmm.posterior import weight_silence
from kaldi_bridge.lattices.costs import prune, scale
from kaldi_bridge.lattices.decoder import Decoded, Graph, SearchOptions
from kaldi_bridge.lattices.determinization import WordDeterminizationOptions, determinize, determinize_words
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, to_compact, to_lattice
from kaldi_bridge.lattices.online_decoder import OnlineDecoder
from kaldi_bridge.lattices.posteriors import frame_posteriors
from kaldi_bridge.online.endpointing import EndpointOptions, endpoint_rule, phone_set
from kaldi_bridge.online.gmm_features import GmmFeatures, GmmFeatureSetup
from kaldi_bridge.options import option
from kaldi_bridge.tables.posterior import SparsePosterior
from kaldi_bridge.transforms.basis_fmllr import Basis, BasisFmllrOptions
from kaldi_bridge.transforms.fmllr import FmllrStatistics
from kaldi_bridge.transforms.linear import transform


@dataclass
class AdaptationOptions:
    """Kaldi's OnlineGmmDecodingConfig, without the options of the search."""

    model: str = option("", "Model, typically the one used for fMLLR computation.  Required option.")
    online_alignment_model: str = option("", "Model trained on features with online CMN, for what is not adapted yet")
    rescore_model: str = option("", "Model to rescore lattices with, if it is not --model; of the same tree")
    fmllr_basis: str = option("", "Basis of fMLLR, as of gmm-basis-fmllr-training")
    acoustic_scale: float = option(0.1, "Scaling factor for acoustic likelihoods")
    silence_phones: str = option("", "Colon-separated list of integer ids of silence phones (affects adaptation)")
    silence_weight: float = option(0.1, "Weight of silence frames for fMLLR estimation (with --silence-phones)")
    fmllr_lattice_beam: float = option(3.0, "Beam used in pruning lattices for fMLLR estimation")
    adaptation_first_utt_delay: float = option(
        2.0, "Seconds before the first basis-fMLLR adaptation for the first utterance of each speaker"
    )
    adaptation_first_utt_ratio: float = option(1.5, "How much later each further adaptation of it is")
    adaptation_delay: float = option(5.0, "The same delay for the other utterances of each speaker")
    adaptation_ratio: float = option(2.0, "The same ratio for them")
    basis_num_iters: int = option(
        10, "Number of iterations in basis fMLLR update during testing", name="basis.num-iters"
    )
    basis_size_scale: float = option(
        0.2, "Scale (< 1.0) on speaker occupancy that gives number of basis elements.", name="basis.size-scale"
    )
    basis_fmllr_min_count: float = option(50.0, "Minimum count required to update fMLLR", name="basis.fmllr-min-count")
    basis_step_size_iters: int = option(3, "Number of iterations in computing step size", name="basis.step-size-iters")

    def check_adaptation(self) -> None:
        """Raises KaldiError for values with which there is no adaptation."""
        for kind in ("adaptation_first_utt", "adaptation"):
            delay, ratio = getattr(self, f"{kind}_delay"), getattr(self, f"{kind}_ratio")
            if not (delay > 0 and ratio > 1):
                raise KaldiError(f"--{kind.replace('_', '-')}-delay must be positive, and -ratio larger than 1")
        if not self.fmllr_lattice_beam > 0:
            raise KaldiError(f"--fmllr-lattice-beam={self.fmllr_lattice_beam:g} must be greater than zero")
        if not self.acoustic_scale > 0:
            raise KaldiError(f"--acoustic-scale={self.acoustic_scale:g} must be greater than zero")

    def adapts(self, begin: float, end: float, is_first: bool) -> bool:
        """Whether it is time to adapt, after the part of an utterance between two times in seconds."""
        delay, ratio = (
            (self.adaptation_first_utt_delay, self.adaptation_first_utt_ratio)
            if is_first
            else (self.adaptation_delay, self.adaptation_ratio)
        )
        while delay < begin:
            delay *= ratio
        return delay < end

    @property
    def basis(self) -> BasisFmllrOptions:
        return BasisFmllrOptions(
            self.basis_num_iters, self.basis_size_scale, self.basis_fmllr_min_count, self.basis_step_size_iters
        )


@dataclass
class GmmOnlineOptions(AdaptationOptions, SearchOptions, EndpointOptions):
    """With those of the search, and of endpoints; ``silence_phones`` are those of adaptation."""

    endpoint_silence_phones: str = option(
        "", "Silence phones, colon-separated, e.g. 1:2:3", name="endpoint.silence-phones"
    )
    silence_phones: str = option("", "Colon-separated list of integer ids of silence phones (affects adaptation)")


class GmmOnlineModels:
    """Models, graph and options, shared by all utterances. Raises KaldiError where they do not fit together."""

    def __init__(self, options: GmmOnlineOptions, features: GmmFeatureSetup, graph_in: str) -> None:
        options.check()
        options.check_adaptation()
        if not options.model:
            raise KaldiError("You must supply the --model option")
        self.options, self.features = options, features
        self.model = AcousticModel.read(options.model)
        self.alignment_model = self._other(options.online_alignment_model, "online-alignment-model")
        self.rescore_model = self._other(options.rescore_model, "rescore-model")
        if not np.array_equal(self.alignment_model.mixtures.sizes, self.model.mixtures.sizes):
            raise KaldiError("--online-alignment-model has other numbers of Gaussians than --model")
        self.basis = Basis.read(options.fmllr_basis) if options.fmllr_basis else None
        self.graph = Graph(read_fst(graph_in), self.model.transitions, graph_in)
        self.search = replace(SearchOptions(**{name: getattr(options, name) for name in vars(SearchOptions())}))
        self.search.determinize_lattice = False
        self.silence = sorted(phone_set(options.silence_phones, "silence-phones"))
        silent = phone_set(options.endpoint_silence_phones, "endpoint.silence-phones")
        self.silent_ids = np.isin(self.model.transitions.id_to_phone, list(silent))

    def _other(self, name: str, what: str) -> AcousticModel:
        if not name:
            return self.model
        other = AcousticModel.read(name)
        if other.transitions.num_transition_ids != self.model.transitions.num_transition_ids:
            raise KaldiError(f"Incompatible models given to the --model and --{what} options")
        return other


@dataclass
class AdaptationState:
    """What is known of a speaker: the transform, float32 [dim, dim + 1], and what it was estimated from."""

    transform: np.ndarray | None = None
    statistics: FmllrStatistics | None = None


class GmmUtterance:
    """The decoding of one utterance; ``state``: of the speaker, replaced as the utterance goes on."""

    def __init__(self, models: GmmOnlineModels, state: AdaptationState, sample_frequency: float) -> None:
        self._models, self._before, self.state = models, state, copy.copy(state)
        self._features = GmmFeatures(models.features, sample_frequency)
        self._decoder = OnlineDecoder(models.graph, models.search, 1.0)
        self._scale = np.float32(models.options.acoustic_scale)

    def advance(self, samples: np.ndarray, last: bool) -> None:
        """Decodes what the next samples complete, and adapts where it is time. Raises EntryError, KaldiError."""
        self._features.extend(samples, last)
        begin, end = self._decoder.num_frames, self._features.num_ready
        if begin < end:
            scores = self._current_mixtures.log_likelihoods(self._adapted(begin, end))
            self._decoder.advance(self._scale * scores)
        shift = self._models.features.frame_shift
        end = self._decoder.num_frames
        if self._models.options.adapts(begin * shift, end * shift, self._before.transform is None):
            self.adapt(self._decoder.outcome_so_far())

    def is_endpoint(self) -> bool:
        decoder, shift = self._decoder, self._models.features.frame_shift
        if not decoder.num_frames:
            return False
        silence = decoder.marked_at_end(self._models.silent_ids) * shift
        cost = decoder.final_relative_cost
        return endpoint_rule(self._models.options, decoder.num_frames * shift, silence, cost) > 0

    def finish(self) -> CompactLattice:
        """The lattice, its acoustic costs scaled. Raises EntryError where there is none."""
        decoded = self._decoder.finish()
        if decoded is None:
            raise EntryError("no frames, or no path survived")
        self.adapt(decoded)
        lattice = _raw(decoded)
        if self._needs_rescoring:
            lattice = self._rescored(lattice)
        beam, models = self._models.options.lattice_beam, self._models
        return determinize(prune(lattice, beam), beam, models.options, models.model.transitions.phone_starts).lattice

    def adapt(self, decoded: Decoded | None) -> None:
        """Estimates the transform from what was decoded so far, and the speaker's earlier utterances."""
        models = self._models
        if decoded is None:
            log.warning("You have decoded no data so cannot estimate fMLLR.")
            return
        if models.basis is None:
            raise KaldiError("In order to estimate fMLLR, you need to supply the --fmllr-basis option.")
        shares = self._shares(_raw(decoded))
        if self.state.transform is None:
            self._features.freeze_normalization()
        feats = self._features.frames(0, shares.num_frames)
        statistics = copy.deepcopy(self._earlier_statistics()) or FmllrStatistics(feats.shape[1])
        add_to_fmllr(statistics, models.model.mixtures, feats, shares)
        used = copy.deepcopy(statistics)
        used.drop_last_frame()
        matrix, weights, gain = models.basis.transform(used, models.options.basis, self.state.transform)
        average = gain / used.count if used.count else float("nan")
        log.vlog(
            3,
            f"Objective function improvement from basis-fMLLR is {average:g} per frame, over {used.count:g} frames, "
            f"#params estimated is {len(weights)}",
        )
        enough = used.count >= models.options.basis.fmllr_min_count
        self.state = AdaptationState(matrix if enough else self.state.transform, statistics)

    def _earlier_statistics(self) -> FmllrStatistics | None:
        """Those of earlier utterances; where nothing of this one has settled, with what is held back of it."""
        before, now = self._before.statistics, self.state.statistics
        if now is None or abs(now.settled_count - (before.settled_count if before else 0.0)) > 1e-6:
            return before
        return now

    @property
    def _current_mixtures(self) -> Mixtures:
        return self._current_model.mixtures

    @property
    def _current_model(self) -> AcousticModel:
        return self._models.alignment_model if self.state.transform is None else self._models.model

    def _adapted(self, begin: int, end: int) -> np.ndarray:
        feats = self._features.frames(begin, end)
        return feats if self.state.transform is None else transform(feats, self.state.transform)

    def _shares(self, lattice: Lattice) -> GaussianPosteriors:
        """How much of each frame belongs to which Gaussian, by the lattice; silence counts less."""
        models, beam = self._models, self._models.options.fmllr_lattice_beam
        words = determinize_words(prune(lattice, beam), beam, WordDeterminizationOptions()).lattice
        posterior = SparsePosterior.from_lists(frame_posteriors(to_lattice(words)).posteriors)
        transitions = models.model.transitions
        weighted = weight_silence(transitions, posterior, models.silence, models.options.silence_weight)
        model = AcousticModel(transitions, self._current_mixtures)
        shares = gaussian_posteriors(model, self._adapted(0, len(weighted)), weighted)
        average = shares.log_likelihood / shares.weight if shares.weight else float("nan")
        log.vlog(
            3,
            f"Average likelihood weighted by posterior was {average:g} over {shares.weight:g} frames (after "
            "downweighting silence).",
        )
        return shares

    @property
    def _needs_rescoring(self) -> bool:
        before, after = self._before.transform, self.state.transform
        if (before is None) != (after is None):
            return True
        if after is None or before is None:
            return False
        return not np.allclose(before, after) or self._models.rescore_model is not self._models.model

    def _rescored(self, lattice: Lattice) -> Lattice:
        """Acoustic costs of the last features are added to those of the search, as by Kaldi's."""
        scaled = scale(to_compact(lattice), acoustic=1.0 / float(self._scale))
        feats = self._adapted(0, self._decoder.num_frames)
        return to_lattice(scale(rescored(self._models.rescore_model, scaled, feats, 1.0), acoustic=float(self._scale)))


def _raw(decoded: Decoded) -> Lattice:
    assert isinstance(decoded.lattice, Lattice)
    return decoded.lattice
