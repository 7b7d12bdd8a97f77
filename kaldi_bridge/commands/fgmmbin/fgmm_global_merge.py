"""nnet-pytorch-fgmm-global-merge: twin of fgmm-global-merge."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_model import FullMixture, read_full_mixture, write_full_mixture
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.options import OutputOptions

USAGE = """Put the Gaussians of several mixtures with full covariances into one; how many Gaussians each has goes to a
text file.
Usage: nnet-pytorch-fgmm-global-merge [options] <fgmm-out> <sizes-file-out> <fgmm-in1> <fgmm-in2> ...
e.g.: nnet-pytorch-fgmm-global-merge all.ubm all.sizes german.ubm french.ubm"""


def fgmm_global_merge(
    options: OutputOptions, fgmm_out: str, sizes_out: str, first: str, second: str, *more: str
) -> None:
    mixtures = [read_full_mixture(name) for name in (first, second, *more)]
    merged = FullMixture.merged(mixtures)
    with open_output(sizes_out) as stream:
        stream.write(encode("".join(f"{mixture.num_gaussians} " for mixture in mixtures) + "\n"))
    write_full_mixture(fgmm_out, merged, options.binary)
    log.info(f"Written merged GMM to {fgmm_out}")


main = command(fgmm_global_merge, usage=USAGE)

if __name__ == "__main__":
    main()
