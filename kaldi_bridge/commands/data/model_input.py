"""nnet-pytorch-model-input: what a model was trained on is recorded in its directory, and checked before it is used."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.data_dirs.feature_options import FeatureOptions, given_options
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import strip
from kaldi_bridge.io.text_files import read_text
from kaldi_bridge.model_dirs.model_input import NAME, ModelInput, Offer, check_input


@dataclass
class CheckOptions:
    """Options of the check."""

    ivector_dir: str = option("", "Directory of i-vectors, with ivector_online.scp")
    online_config: str = option(
        "",
        "File of options of online decoding, which makes features of recordings, instead of the directory's features",
    )


def check(options: CheckOptions, model_dir: str, data_dir: str) -> int:
    if ModelInput.read(Path(model_dir)) is None:
        return 0
    if options.online_config:
        offer = _of_online_config(Path(options.online_config))
    else:
        offer = Offer.of_data(Path(data_dir), Path(options.ivector_dir) if options.ivector_dir else None)
    findings = check_input(Path(model_dir), offer)
    for warning in findings.warnings:
        log.warning(warning)
    for problem in findings.problems[:-1]:
        log.warning(problem)
    if findings.problems:
        raise KaldiError(f"{findings.problems[-1]}. (Where that is meant, remove {Path(model_dir) / NAME})")
    return 0


def _of_online_config(path: Path) -> Offer:
    given = given_options(read_text(path))
    kind = given.get("feature-type", "mfcc")
    config = given.get(f"{kind}-config", "")
    made = FeatureOptions.of_file(kind, Path(config)) if config else FeatureOptions(kind, "")
    return Offer(config or str(path), made)


@dataclass
class RecordOptions:
    """Options of the record."""

    cmvn_opts: str = option("", "Of the normalization")


def record(options: RecordOptions, data_dir: str, model_dir: str) -> int:
    data = Offer.of_data(Path(data_dir))
    ModelInput.of(data.made, data.dim, strip(options.cmvn_opts)).write(Path(model_dir))
    return 0


OPERATIONS = {
    "check": command(
        check,
        usage="Compare what a model was trained on (input.json) with what it is to be given.\n"
        "Usage: nnet-pytorch-model-input check [options] <model-dir> <data-dir>",
        script=True,
    ),
    "record": command(
        record,
        usage="Record what a model is trained on, in input.json.\n"
        "Usage: nnet-pytorch-model-input record [options] <data-dir> <model-dir>",
        script=True,
    ),
}


def run(arguments: list[str]) -> int:
    """Runs an operation on its arguments; returns the exit status."""
    if not arguments or arguments[0] not in OPERATIONS:
        print(f"Usage: nnet-pytorch-model-input <{'|'.join(OPERATIONS)}> [options] ...", file=sys.stderr)
        return 1
    return OPERATIONS[arguments[0]].run(arguments[1:], f"nnet-pytorch-model-input-{arguments[0]}")


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
