"""From samples to scaled log-likelihoods: features, network and transition model of a folder, without a graph."""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.decoder import Graph, SearchOptions
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions
from nnet3_compat.model.model_file import read_with_transitions
from nnet3_compat.recognition.model_folder import ModelFolder
from nnet3_compat.utterances.online_computation import OnlineComputer
from nnet3_compat.utterances.online_stream import StreamSetup


class AcousticModel:
    """Read once for any number of streams.

    Attributes:
        options: of the folder.
        transitions: the transition model.
        computer: of the network.
        sample_frequency: of the samples that its features are made of, in Hz.
        frame_shift: seconds from one output of the network to the next.

    Raises:
        KaldiError: files are missing, cannot be read or do not fit together.
    """

    def __init__(self, folder: ModelFolder) -> None:
        folder.decoding.check()
        model, transitions = read_with_transitions(str(folder.model))
        self.options, self.transitions = folder.decoding, transitions
        self.computer = OnlineComputer(model, folder.decoding, str(folder.model))
        network = self.computer.model
        if network.output_dim != transitions.num_pdfs:
            raise KaldiError(
                f"{folder.model}: the network has {network.output_dim} outputs, the transition model "
                f"{transitions.num_pdfs} pdfs"
            )
        self._features, self._weighting = folder.feature_setup(network.ivector_dim > 0), folder.weighting
        if self._features.dim != network.input_dim:
            raise KaldiError(
                f"{folder.model}: features of dimension {self._features.dim} are configured, the network takes "
                f"{network.input_dim}"
            )
        features = self._features.extractor.options
        features.allow_upsample = True
        self.sample_frequency = features.sample_frequency
        self.frame_shift = self._features.frame_shift * folder.decoding.frame_subsampling_factor

    def setup(
        self, graph: Graph, search: SearchOptions | None = None, weighting: SilenceWeightingOptions | None = None
    ) -> StreamSetup:
        """Of streams in which this graph is searched; ``search``, ``weighting``: other options than the folder's."""
        return StreamSetup(
            self.transitions,
            graph,
            self.computer,
            self._features,
            search or self.options,
            weighting or self._weighting,
        )
