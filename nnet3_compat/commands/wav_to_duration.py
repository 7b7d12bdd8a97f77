"""nnet-pytorch-wav-to-duration: twin of wav-to-duration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, WAVE, WAVE_INFO

USAGE = """Tell the duration of recordings in seconds.
Usage: nnet-pytorch-wav-to-duration [options] <wav-rspecifier> <duration-wspecifier>
e.g.: nnet-pytorch-wav-to-duration scp:wav.scp ark,t:-"""


@dataclass
class Options:
    """Options of wav-to-duration."""

    read_entire_file: bool = option(False, "Count the samples, rather than believe the header of the file")


def wav_to_duration(options: Options, wav_rspecifier: str, duration_wspecifier: str) -> int:
    durations = []
    with TableWriter(duration_wspecifier, FLOAT) as writer:
        for recording, duration in (_counted if options.read_entire_file else _from_headers)(wav_rspecifier):
            writer.write(recording, duration)
            durations.append(duration)
    log.info(f"Printed duration for {len(durations)} audio files.")
    if durations:
        log.info(
            f"Mean duration was {np.mean(durations):g}, min and max durations were {min(durations):g}, "
            f"{max(durations):g}"
        )
    return 0 if durations else 1


def _counted(wav_rspecifier: str) -> Iterator[tuple[str, float]]:
    with SequentialReader(wav_rspecifier, WAVE) as reader:
        for recording, wave in reader:
            yield recording, wave.data.shape[1] / wave.sample_frequency


def _from_headers(wav_rspecifier: str) -> Iterator[tuple[str, float]]:
    with SequentialReader(wav_rspecifier, WAVE_INFO) as reader:
        for recording, info in reader:
            if info.samples is None:
                raise KaldiError(
                    f"{recording}: the header of the recording does not tell its duration; try --read-entire-file"
                )
            yield recording, info.samples / info.sample_frequency


main = command(wav_to_duration, usage=USAGE)

if __name__ == "__main__":
    main()
