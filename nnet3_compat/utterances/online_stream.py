"""What samples go through as they come in: features and i-vectors, the network, the search.

The three steps are apart, so that the network can compute chunks of several streams at once:

    stream.hear(samples, last)
    stream.search(computer.compute(stream.chunks()))

(online2/online-nnet3-decoding.h, and the loop around it in online2-wav-nnet3-latgen-faster.cc.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.decoder import Graph, SearchOptions
from kaldi_bridge.lattices.online_decoder import OnlineDecoder
from kaldi_bridge.online.endpointing import EndpointOptions, endpoint_rule, phone_set
from kaldi_bridge.online.features import OnlineFeatures, OnlineFeatureSetup
from kaldi_bridge.online.silence_weighting import SilenceWeighting, SilenceWeightingOptions

if TYPE_CHECKING:
    from nnet3_compat.utterances.online_computation import Chunk, OnlineComputer


@dataclass
class StreamSetup:
    """What all streams share.

    Attributes:
        model: that the ``graph`` belongs to, as the one in ``computer`` does.
    """

    model: TransitionModel
    graph: Graph
    computer: OnlineComputer
    features: OnlineFeatureSetup
    search: SearchOptions
    weighting: SilenceWeightingOptions

    @property
    def frame_shift(self) -> float:
        """Seconds from one output of the network to the next."""
        return self.features.frame_shift * self.computer.options.frame_subsampling_factor


class OnlineStream:
    """One stream of samples, in which one search follows the other.

    Attributes:
        decoder: the search.
        num_frames: outputs of the network before those of this search.
    """

    def __init__(self, setup: StreamSetup, features: OnlineFeatures) -> None:
        self._setup, self._features = setup, features
        self._outputs = setup.computer.start()
        self._heard: list[np.ndarray] = []
        self._last = False
        self._silence_phones, self._silent = "", np.zeros(0, bool)  # by transition-id
        self.num_frames = 0
        self._begin()

    def _begin(self) -> None:
        setup = self._setup
        self.decoder = OnlineDecoder(setup.graph, setup.search, setup.computer.options.acoustic_scale)
        self._weighting: SilenceWeighting | None = None
        if setup.weighting.active and self._features.ivectors is not None:
            factor = setup.computer.options.frame_subsampling_factor
            self._weighting = SilenceWeighting(setup.weighting, setup.model, factor)

    def hear(self, samples: np.ndarray, last: bool) -> None:
        """Makes features of the next samples, float32 [samples] at the scale of 16-bit integers.

        Raises KaldiError for features that are not those of the i-vector extractor.
        """
        self._heard.append(self._features.extend(samples, last))
        self._last = last

    def chunks(self) -> list[Chunk]:
        """What the network can compute now, of what was heard since the last time.

        Raises KaldiError where dimensions are not the model's.
        """
        ivectors = self._features.ivectors
        if self._weighting is not None and ivectors is not None:
            first = self.num_frames * self._setup.computer.options.frame_subsampling_factor
            changes = self._weighting.changes(self.decoder.best_steps(), ivectors.num_ready - first)
            ivectors.weigh((frame + first, change) for frame, change in changes)
        heard, self._heard = np.concatenate(self._heard), []
        return self._outputs.chunks(heard, self._last, None if ivectors is None else self._features.newest_ivector)

    def search(self, outputs: list[np.ndarray]) -> None:
        """Goes on with the outputs of these chunks."""
        for part in outputs:
            self.decoder.advance(part)

    def advance(self) -> None:
        """Computes what can be computed, and goes on with it."""
        self.search(self._setup.computer.compute(self.chunks()))

    def restart(self) -> None:
        """Another search follows, of what comes after the frames that this one has had."""
        self.num_frames += self.decoder.num_frames
        self._begin()

    def end(self) -> None:
        """Leaves what was learnt of the speaker with it."""
        self._features.end()

    def endpoint(self, options: EndpointOptions) -> int:
        """The rule by which the speaker has come to an end, 1 to 5; 0 when there is none."""
        decoder, model = self.decoder, self._setup.model
        if not decoder.num_frames:
            return 0
        if options.silence_phones != self._silence_phones:
            phones = phone_set(options.silence_phones, "endpoint.silence-phones")
            self._silence_phones, self._silent = options.silence_phones, np.isin(model.id_to_phone, list(phones))
        silence, shift = decoder.marked_at_end(self._silent), self._setup.frame_shift
        return endpoint_rule(options, decoder.num_frames * shift, silence * shift, decoder.final_relative_cost)
