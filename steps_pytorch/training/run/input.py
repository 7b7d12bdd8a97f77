"""What a run trains on, as its directory's input.json records it."""

from __future__ import annotations

from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.data_dirs.feature_options import FeatureOptions
from kaldi_bridge.model_dirs.model_input import ModelInput, Offer, check_input
from steps_pytorch.data.data_sets import Data
from steps_pytorch.training.run.options import Run


def features_of(run: Run) -> FeatureOptions | None:
    """How the features of the first data set are made, where that is told."""
    options = run.options
    configs = {"mfcc": options.mfcc_config, "fbank": options.fbank_config, "waveform": options.waveform_config}
    for kind, config in configs.items():
        if config:
            return FeatureOptions.of_file(kind, Path(config))
    return FeatureOptions.of_directory(Path(options.store or run.data))


def input_of(run: Run, data: Data) -> ModelInput:
    """Of a run whose data are open. Raises KaldiError where a file of options cannot be read."""
    options = run.options
    return ModelInput.of(
        features_of(run),
        data.feature_dim,
        options.normalization,
        online_cmvn=options.online_cmvn,
        ivector_dim=data.ivector_dim,
    )


def warn_of_other_input(source: str, run: Run, data: Data) -> None:
    """Where a run starts from a model that was trained on other features: that may be meant, if the dimension fits."""
    folder = Path(source).parent
    mine = input_of(run, data)
    offer = Offer(run.data, features_of(run), data.feature_dim, data.ivector_dim)
    theirs = ModelInput.read(folder)
    found = check_input(folder, offer)
    if theirs is not None and (theirs.cmvn_opts, theirs.online_cmvn) != (mine.cmvn_opts, mine.online_cmvn):
        found.problems.append(
            f"{source} was trained with --cmvn-opts={theirs.cmvn_opts!r} --online-cmvn={theirs.online_cmvn}, "
            f"this run is with {mine.cmvn_opts!r} and {mine.online_cmvn}"
        )
    for problem in found.problems:
        log.warning(f"--init-model: {problem}")
