"""nnet-pytorch-data-dir: what utils/*_data_dir.sh and their like call, one operation each."""

from __future__ import annotations

import sys
from collections.abc import Callable

from kaldi_bridge.command import Command, command
from kaldi_bridge.data_dirs.choosing import subset
from kaldi_bridge.data_dirs.operations import (
    combine,
    copy,
    fix,
    modify_speaker_info,
    perturb_speed,
    perturb_volume,
    split_data,
    validate,
)


def _operation(function: Callable[..., int], arguments: str) -> Command:
    usage = f"As Kaldi's script of that name, without Kaldi.\nUsage: nnet-pytorch-data-dir {arguments}\n"
    return command(function, usage=usage, script=True)


OPERATIONS = {
    "validate": _operation(validate, "validate [options] <data-dir>"),
    "fix": _operation(fix, "fix [options] <data-dir>"),
    "subset": _operation(subset, "subset [options] <srcdir> [<num-utt>] <destdir>"),
    "split": _operation(split_data, "split [options] <data-dir> <num-to-split>"),
    "combine": _operation(combine, "combine [options] <dest-data-dir> <src-data-dir1> <src-data-dir2> ..."),
    "copy": _operation(copy, "copy [options] <srcdir> <destdir>"),
    "modify-speaker-info": _operation(modify_speaker_info, "modify-speaker-info [options] <srcdir> <destdir>"),
    "perturb-speed": _operation(perturb_speed, "perturb-speed [options] <factor> <srcdir> <destdir>"),
    "perturb-volume": _operation(perturb_volume, "perturb-volume [options] <data-dir>"),
}


def run(arguments: list[str]) -> int:
    """Runs an operation on its arguments; returns the exit status."""
    if not arguments or arguments[0] not in OPERATIONS:
        print(f"Usage: nnet-pytorch-data-dir <{'|'.join(OPERATIONS)}> [options] ...", file=sys.stderr)
        return 1
    name, *rest = arguments
    if name == "validate":  # whose options stand behind the directory as often as before it
        rest.sort(key=lambda argument: not argument.startswith("--"))
    return OPERATIONS[name].run(rest, f"nnet-pytorch-data-dir-{name}")


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
