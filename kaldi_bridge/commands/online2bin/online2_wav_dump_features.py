"""nnet-pytorch-online2-wav-dump-features: twin of online2-wav-dump-features."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.online.feature_dump import dump_features
from kaldi_bridge.online.features import OnlineFeatureOptions, OnlineFeatureSetup
from kaldi_bridge.online.silence_weighting import SilenceWeightingOptions

USAGE = """Write the features of recordings as online decoding has them, i-vectors included.
Usage: nnet-pytorch-online2-wav-dump-features [options] <spk2utt-rspecifier> <wav-rspecifier> <feature-wspecifier>
or:    nnet-pytorch-online2-wav-dump-features [options] --print-ivector-dim=true
e.g.: nnet-pytorch-online2-wav-dump-features --config=conf/online.conf ark:spk2utt scp:wav.scp ark:feats.ark"""


@dataclass
class Options(OnlineFeatureOptions, SilenceWeightingOptions):
    """Options of online2-wav-dump-features."""

    chunk_length: float = option(0.05, "Seconds of sound that are taken at a time")
    print_ivector_dim: bool = option(False, "Print the dimension of i-vectors, maybe 0, and nothing else")


def online2_wav_dump_features(
    options: Options, spk2utt: str | None = None, waves: str | None = None, feats: str | None = None
) -> int:
    setup = OnlineFeatureSetup.of_files(options)
    if options.print_ivector_dim:
        write_stdout(f"{setup.ivectors.extractor.dim if setup.ivectors is not None else 0}\n")
        return 0
    if spk2utt is None or waves is None or feats is None:
        log.error("Wrong number of arguments: expected spk2utt, recordings and a table of features")
        return 1
    if not 0 <= options.chunk_length < 1e5:
        raise KaldiError(f"--chunk-length={options.chunk_length:g} is out of range")
    return dump_features(setup, options.chunk_length, spk2utt, waves, feats)


main = command(online2_wav_dump_features, usage=USAGE)

if __name__ == "__main__":
    main()
