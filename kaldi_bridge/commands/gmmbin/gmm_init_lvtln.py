"""nnet-pytorch-gmm-init-lvtln: twin of gmm-init-lvtln."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.io.filenames import printable_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.lvtln import LinearVtln

USAGE = """Initialize linear-VTLN transforms, each the unit matrix; nnet-pytorch-gmm-train-lvtln-special sets them.
Usage: nnet-pytorch-gmm-init-lvtln [options] <lvtln-out>
e.g.: nnet-pytorch-gmm-init-lvtln --dim=13 --num-classes=21 --default-class=10 1.lvtln"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-init-lvtln."""

    dim: int = option(13, "Feature dimension")
    num_classes: int = option(21, "Number of transforms to be trained")
    default_class: int = option(10, "Index of default transform, for speakers without data")


def gmm_init_lvtln(options: Options, lvtln_out: str) -> None:
    LinearVtln(options.dim, options.num_classes, options.default_class).write(lvtln_out, options.binary)
    log.info(f"Initialized LVTLN object and wrote it to {printable_output(lvtln_out)}")


main = command(gmm_init_lvtln, usage=USAGE)

if __name__ == "__main__":
    main()
