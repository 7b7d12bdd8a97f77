"""Features to work with, to look at and to listen to: a table, a picture and a recording of each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.features.inversion import FeatureInverter
from kaldi_bridge.features.mel import bin_centers
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.generation.pictures import Panel, draw

LOUDEST = 0.9 * 32767


class Gallery:
    """In ``folder``: feats.scp and feats.ark, pictures/<key>.png, wav/<key>.wav.

    Args:
        normalizer: what the model's features were normalized with, to be undone; None where they were not.
        inverter: of the kind of features, for the frequencies of pictures and for recordings, which there are not
            without it.
    """

    def __init__(self, folder: Path, normalizer: Normalizer | None, inverter: FeatureInverter | None) -> None:
        self._folder, self._normalizer, self._inverter = folder, normalizer, inverter
        self._stack = ExitStack()
        self.count = 0
        if inverter is None:
            log.warning("Pictures without frequencies and no recordings: give --fbank-config or --mfcc-config for them")

    def __enter__(self) -> Gallery:
        for name in ("pictures", *(["wav"] if self._inverter else [])):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        wspecifier = f"ark,scp:{self._folder}/feats.ark,{self._folder}/feats.scp"
        self._features = self._stack.enter_context(TableWriter(wspecifier, FLOAT_MATRIX))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def add(
        self,
        key: str,
        stages: Sequence[tuple[str, np.ndarray]],
        energies: np.ndarray | None = None,
        utterance: str = "",
        inside: tuple[int, int] | None = None,
    ) -> None:
        """One sample.

        Args:
            stages: names and normalized features [frames, dim] on the way to it; the last ones are the sample.
            energies: of each step, per frame, to be drawn below.
            utterance: whose normalization is undone.
            inside: first frame and end of what is not context; only that goes into the table and the recording.
        """
        undone = [(name, self._undone(utterance, features)) for name, features in stages]
        sample = undone[-1][1]
        first, end = inside or (0, len(sample))
        self._features.write(key, sample[first:end])
        shift, centers = 0.01, None
        if self._inverter:
            options = self._inverter.options
            shift = options.frame_shift / 1000
            centers = bin_centers(options.num_mel_bins, options.low_freq, options.highest_freq)
        panels = [Panel(name, self._shown(features), centers) for name, features in undone]
        draw(self._folder / "pictures" / f"{key}.png", key, panels, energies, shift, inside)
        if self._inverter:
            waveform = self._inverter(sample[first:end])
            peak = float(np.abs(waveform).max())
            if peak > LOUDEST:
                waveform *= LOUDEST / peak
            with open_output(str(self._folder / "wav" / f"{key}.wav")) as stream:
                write_wave(stream, Wave(self._inverter.options.sample_frequency, waveform))
        self.count += 1

    def _undone(self, utterance: str, features: np.ndarray) -> np.ndarray:
        return features if self._normalizer is None else self._normalizer.undo(utterance, features)

    def _shown(self, features: np.ndarray) -> np.ndarray:
        return self._inverter.log_mel(features) if self._inverter else features
