"""nnet-pytorch-lattice-to-post: twin of lattice-to-post."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.lattices.posteriors import frame_posteriors
from kaldi_bridge.lattices.scale_options import ScaleOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, POSTERIOR

USAGE = """Do forward-backward over lattices and write the posteriors of transition-ids in each frame.
Usage: nnet-pytorch-lattice-to-post [options] <lattice-rspecifier> <posterior-wspecifier> [<loglikes-wspecifier>]
e.g.: nnet-pytorch-lattice-to-post --acoustic-scale=0.1 ark:1.lats ark:1.post"""


@dataclass
class Options(ScaleOptions):
    """Options of lattice-to-post."""


def lattice_to_post(
    options: Options, lattice_rspecifier: str, posterior_wspecifier: str, loglikes_wspecifier: str = ""
) -> int:
    if options.acoustic_scale == 0.0:
        raise KaldiError("Do not use a zero acoustic scale (cannot be inverted)")
    done = frames = 0
    likelihood = acoustic = 0.0
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, LATTICE))
        writer = stack.enter_context(TableWriter(posterior_wspecifier, POSTERIOR))
        loglikes = stack.enter_context(TableWriter(loglikes_wspecifier, FLOAT)) if loglikes_wspecifier else None
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                found = frame_posteriors(scale(lattice, options.acoustic_scale, options.lm_scale))
            if loglikes:
                loglikes.write(key, found.log_likelihood)
            writer.write(key, found.posteriors)
            likelihood += found.log_likelihood
            acoustic += found.acoustic
            frames += len(found.posteriors)
            done += 1
    mean = [f"{total / frames if frames else float('nan'):g}" for total in (likelihood, acoustic)]
    log.info(
        f"Overall average log-like/frame is {mean[0]} over {frames:g} frames.  Average acoustic like/frame is {mean[1]}"
    )
    log.info(f"Done {done} lattices.")
    return 0 if done else 1


main = command(lattice_to_post, usage=USAGE)

if __name__ == "__main__":
    main()
