"""nnet-pytorch-egs-augment-image: twin of nnet3-egs-augment-image."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.examples.frame_examples import EXAMPLE
from kaldi_bridge.examples.image_augmentation import ImageOptions, augment_example
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Copy examples for neural network training, shifting, mirroring and turning their images at random. The input
of an example is an image: a row for each x, with the channels (colors) of the pixel at each y.
Usage: nnet-pytorch-egs-augment-image [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-egs-augment-image --horizontal-flip-prob=0.5 --horizontal-shift=0.1 --vertical-shift=0.1 \\
    --srand=103 --num-channels=3 --fill-mode=nearest ark:- ark:-"""


@dataclass
class Options(ImageOptions):
    """Options of nnet3-egs-augment-image."""

    srand: int = option(0, "Seed for the random number generator")


def egs_augment_image(options: Options, egs_rspecifier: str, egs_wspecifier: str) -> int:
    options.check()
    random, done = CRandom(options.srand), 0
    with SequentialReader(egs_rspecifier, EXAMPLE) as reader, TableWriter(egs_wspecifier, EXAMPLE) as writer:
        for key, example in reader:
            with within(f"example {key}"):
                augment_example(example, options, random)
            writer.write(key, example)
            done += 1
    log.info(f"Perturbed {done} neural-network training images.")
    return 0 if done else 1


main = command(egs_augment_image, usage=USAGE)

if __name__ == "__main__":
    main()
