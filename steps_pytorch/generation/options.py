"""Options of the programs of generation."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.options import FbankOptions, MfccOptions
from kaldi_bridge.options import STANDARD, UsageError, parse, specs_of


@dataclass
class ModelOptions:
    """Which model, and how its features become pictures and sound."""

    iteration: int = option(0, "Take the model of this iteration; 0: of the last checkpoint")
    sampler_opts: str = option("", "How to sample other than in training, --name=value each: --max-steps=200")
    fbank_config: str = option("", "Kaldi's options of the features, for recordings and the frequencies in pictures")
    mfcc_config: str = option("", "Likewise, of MFCC")
    use_gpu: bool = option(False, "Compute on a GPU")
    srand: int = option(0, "Seed")


@dataclass
class GenerateOptions(ModelOptions):
    """Options of nnet-pytorch-generate."""

    source: str = option("model", "model: new samples, from noise; buffer: samples that training has kept")
    num_samples: int = option(8, "How many samples")
    num_frames: int = option(100, "model: frames of a sample, without context")
    pdfs: str = option("", "Condition on these pdfs, each for about as many frames")
    phones: str = option("", "Condition on these phones (of phones.txt), each for about as many frames")
    top_k: int = option(
        0, "buffer, with --pdfs or --phones: the so many samples that have them best and worst; 0: --num-samples"
    )
    init_value: float = option(1.0, "model: the noise to start from is uniform between minus and plus this")
    data: str = option("", "Data directory whose cmvn.scp says what normalization to undo; default: the training data")


@dataclass
class DecorruptOptions(ModelOptions):
    """Options of nnet-pytorch-decorrupt."""

    corruption: str = option(
        "none", "Spoil the features first: gauss, salt-pepper, time-mask, frequency-mask; none: they are noisy already"
    )
    corruption_level: float = option(0.3, "gauss: the noise's standard deviation; others: the share that becomes zero")
    num_utterances: int = option(8, "How many utterances, the first ones; 0: all")


def feature_options(options: ModelOptions) -> FbankOptions | MfccOptions | None:
    """What the config says; None where none is given. Raises KaldiError for two, or one that is wrong."""
    if options.fbank_config and options.mfcc_config:
        raise KaldiError("give --fbank-config or --mfcc-config, not both")
    path = options.fbank_config or options.mfcc_config
    if not path:
        return None
    kind = FbankOptions if options.fbank_config else MfccOptions
    specs = specs_of(kind)
    try:
        values, _ = parse([*specs, *STANDARD], [f"--config={path}"])
    except UsageError as error:
        raise KaldiError(str(error)) from None
    return kind(**{spec.attribute: values[spec.attribute] for spec in specs})
