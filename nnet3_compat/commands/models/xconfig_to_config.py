"""nnet-pytorch-xconfig-to-config: twin of steps/nnet3/xconfig_to_configs.py."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from nnet3_compat.model.changes import read_lines
from nnet3_compat.xconfig.writer import write_configs

USAGE = """Expand an xconfig, which describes a network layer by layer, into nnet3 configs.
Usage: nnet-pytorch-xconfig-to-config --xconfig-file <xconfig> --config-dir <dir>
e.g.: nnet-pytorch-xconfig-to-config --xconfig-file configs/network.xconfig --config-dir configs/"""


@dataclass
class Options:
    """Options of xconfig_to_configs.py."""

    xconfig_file: str = option("", "The xconfig to read (required)")
    config_dir: str = option("", "The directory to write xconfig.expanded.*, *.config and vars into (required)")
    existing_model: str = option("", "Raw model or .mdl whose nodes the xconfig may use, for transfer learning")
    nnet_edits: str = option("", "Edits applied before the contexts are computed, as for nnet-pytorch-copy --edits")


def xconfig_to_config(options: Options) -> int:
    if not options.xconfig_file or not options.config_dir:
        raise KaldiError("both --xconfig-file and --config-dir must be given")
    lines = read_lines(options.xconfig_file)
    echo = " ".join(sys.argv)
    with within(options.xconfig_file):
        write_configs(lines, Path(options.config_dir), echo, options.existing_model or None, options.nnet_edits or None)
    log.info(f"Wrote the configs of {options.xconfig_file} into {options.config_dir}")
    return 0


main = command(xconfig_to_config, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
