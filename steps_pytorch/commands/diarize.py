"""nnet-pytorch-diarize: what steps_pytorch/diarize.sh runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.data_dirs.data_dir import DataDir, spk2utt_of
from kaldi_bridge.data_dirs.speaker_turns import Turn, without_overlap, write_rttm
from kaldi_bridge.data_dirs.windows import WindowOptions, windows
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.voice_activity import VadEnergyOptions
from kaldi_bridge.io.text import shown
from kaldi_bridge.io.text_files import Rows, in_order, read_rows, write_rows
from kaldi_bridge.ivectors.agglomerative_clustering import ClusteringOptions, clusters_of_scores
from kaldi_bridge.ivectors.conversation_scores import conversation_scores
from kaldi_bridge.ivectors.plda import PldaOptions, read_plda
from kaldi_bridge.ivectors.whitening import Whitening
from kaldi_bridge.options import read_options
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.sliding_cmvn import SlidingCmvnOptions, sliding_cmvn

if TYPE_CHECKING:
    from steps_pytorch.data.speech import Speech

CMN = SlidingCmvnOptions(cmn_window=300, center=True)

USAGE = """Find out who speaks when in recordings: x-vectors of windows, PLDA scores between them, clusters of these.
Usage: nnet-pytorch-diarize [options] <nnet-dir> <plda-dir> <data-dir> <output-dir>
e.g.: nnet-pytorch-diarize --threshold=0 exp/xvector_nnet exp/xvectors_train data/test exp/diarized
Without segments, utterances are whole recordings, in which speech is found by energy. <nnet-dir> has final.raw,
min_chunk_size, max_chunk_size and perhaps extract.config; <plda-dir> plda, mean.vec and transform.mat. Leaves rttm, and
what Kaldi's diarization/*.sh leave: segments, utt2spk, spk2utt, xvector.scp, scores.scp and labels."""


@dataclass
class Options(WindowOptions, ClusteringOptions, PldaOptions):
    """Those of the three scripts of Kaldi's in whose place it is, with their defaults."""

    threshold: float = option(0.5, "Merge clusters whose score is at least this")
    reco2num_spk: str = option("", "File of how many speakers each recording has; --threshold has no effect then")
    target_energy: float = option(0.1, "Project by a PCA of each recording that keeps this proportion of its energy")
    apply_cmn: bool = option(True, "Subtract means over 300 frames from the features of each window")
    chunk_size: int = option(-1, "Frames whose vectors are averaged; -1: <nnet-dir>/max_chunk_size")
    vad_config: str = option("", "Options of compute-vad; for recordings without segments that vad.scp does not have")
    rttm_channel: int = option(0, "What stands in the column of the channel")
    use_gpu: str = option("no", "yes|no|optional|wait: whether to compute on a CUDA device")


def diarize(options: Options, nnet_dir: str, plda_dir: str, data_dir: str, output_dir: str) -> int:
    options.check()
    from nnet3_compat.utterances.speaker_windows import read_embedder, vectors_of
    from steps_pytorch.data.speech import SpeechOfRecordings

    vad = read_options(options.vad_config, VadEnergyOptions) if options.vad_config else VadEnergyOptions()
    speech = SpeechOfRecordings(DataDir.read(data_dir), vad)
    numbers = _numbers(options.reco2num_spk) if options.reco2num_spk else None
    whitening = Whitening.read(f"{plda_dir}/mean.vec", f"{plda_dir}/transform.mat")
    plda = read_plda(f"{plda_dir}/plda")
    embedder, embedding = read_embedder(Path(nnet_dir), options.chunk_size, options.use_gpu)
    folder, loop = Path(output_dir), TableLoop(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Rows] = {"segments": {}, "utt2spk": {}, "labels": {}}
    turns: dict[str, list[Turn]] = {}
    with (
        TableWriter(f"ark,scp:{folder}/xvector.ark,{folder}/xvector.scp", FLOAT_VECTOR) as xvectors,
        TableWriter(f"ark,scp:{folder}/scores.ark,{folder}/scores.scp", FLOAT_MATRIX) as scores,
    ):
        for recording in in_order(speech.utterances):
            with loop.entry(recording):
                names, places, pieces = _windows(speech.of(recording), options, speech.frame_shift)
                vectors = vectors_of(embedder, pieces, embedding)
                matrix = conversation_scores(plda, whitening(vectors), options.target_energy, options)
                if numbers is not None and recording not in numbers:
                    raise EntryError(f"no number of speakers for {recording} in {options.reco2num_spk}")
                clusters = clusters_of_scores(matrix, options, None if numbers is None else numbers[recording]).tolist()
                for name, (start, end), vector, cluster in zip(names, places, vectors, clusters, strict=True):
                    xvectors.write(name, vector)
                    rows["segments"][name] = f"{recording} {start:.3f} {end:.3f}"
                    rows["utt2spk"][name], rows["labels"][name] = recording, str(cluster)
                scores.write(recording, matrix)
                labelled = (Turn(*place, str(cluster)) for place, cluster in zip(places, clusters, strict=True))
                turns[recording] = without_overlap(labelled)
    rows["spk2utt"] = {speaker: " ".join(of) for speaker, of in spk2utt_of(rows["utt2spk"].items()).items()}
    for name, lines in rows.items():
        write_rows(folder / name, lines)
    write_rttm(folder / "rttm", turns, options.rttm_channel)
    log.info(f"Wrote who speaks when in {loop.done} recordings to {folder}/rttm, failed for {loop.failed}")
    return loop.status


def _windows(
    speech: list[Speech], options: Options, frame_shift: float
) -> tuple[list[str], list[tuple[float, float]], list[np.ndarray]]:
    """Of a recording: names, (start, end) in seconds, features, prepared for the network. Raises EntryError."""
    names, places, pieces = [], [], []
    for part in speech:
        for window in windows(part.name, part.duration, options):
            piece = part.features[window.frames(frame_shift, len(part.features))]
            if not len(piece):
                raise EntryError(f"{len(part.features)} frames of {part.name} end before the segment does")
            names.append(window.name)
            places.append((round(part.start + window.start, 3), round(part.start + window.end, 3)))
            pieces.append(sliding_cmvn(piece, CMN) if options.apply_cmn else piece)
    if not pieces:
        raise EntryError(f"no segment is as long as --min-segment={options.min_segment:g} s")
    return names, places, pieces


def _numbers(file: str) -> dict[str, int]:
    """Raises KaldiError for what is no positive number."""
    found = {}
    for recording, text in read_rows(file).items():
        if not re.fullmatch("0*[1-9][0-9]{0,8}", text):
            raise KaldiError(f"{file}: {shown(recording)} has {shown(text)} in the place of a number of speakers")
        found[recording] = int(text)
    return found


main = command(diarize, usage=USAGE, script=True)

if __name__ == "__main__":
    main()
