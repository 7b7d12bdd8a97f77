"""nnet-pytorch-wav-to-duration: twin of wav-to-duration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.data_dirs.durations import durations
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT

USAGE = """Tell the duration of recordings in seconds.
Usage: nnet-pytorch-wav-to-duration [options] <wav-rspecifier> <duration-wspecifier>
e.g.: nnet-pytorch-wav-to-duration scp:wav.scp ark,t:-"""


@dataclass
class Options:
    """Options of wav-to-duration."""

    read_entire_file: bool = option(False, "Count the samples, rather than believe the header of the file")


def wav_to_duration(options: Options, wav_rspecifier: str, duration_wspecifier: str) -> int:
    found = []
    with TableWriter(duration_wspecifier, FLOAT) as writer:
        for recording, duration in durations(wav_rspecifier, options.read_entire_file):
            writer.write(recording, duration)
            found.append(duration)
    log.info(f"Printed duration for {len(found)} audio files.")
    if found:
        log.info(f"Mean duration was {np.mean(found):g}, min and max durations were {min(found):g}, {max(found):g}")
    return 0 if found else 1


main = command(wav_to_duration, usage=USAGE)

if __name__ == "__main__":
    main()
