"""What the programs of generation do."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.inversion import FeatureInverter
from nnet3_compat.machine.device import select_device
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.generation.corruption import corrupt
from steps_pytorch.generation.gallery import Gallery
from steps_pytorch.generation.options import DecorruptOptions, GenerateOptions, ModelOptions, feature_options
from steps_pytorch.generation.pdf_sequences import read_target
from steps_pytorch.generation.sampling import History, from_buffer, from_model, restore
from steps_pytorch.generation.trained import TrainedDensity
from steps_pytorch.training.run.options import words

STAGES = 4  # in a picture, the last one included


def generate(options: GenerateOptions, model_dir: Path, out_dir: Path) -> int:
    """Samples of a model, or of its buffer. Raises KaldiError for options, models or files that do not fit."""
    if options.source not in ("model", "buffer"):
        raise KaldiError(f"--source={options.source} must be model or buffer")
    if min(options.num_samples, options.num_frames) < 1 or options.top_k < 0:
        raise KaldiError("--num-samples and --num-frames must be positive, --top-k not negative")
    density, inverter = _load(options, model_dir)
    model = density.model
    data = options.data or density.run.data
    normalizer = Normalizer.of_options(density.run.options.normalization, data)
    normalizer = normalizer and normalizer.average()
    with Gallery(out_dir, normalizer, inverter) as gallery:
        if options.source == "model":
            num_outputs = -(-options.num_frames // model.frame_subsampling_factor)
            target = read_target(options.pdfs, options.phones, num_outputs, model.num_pdfs, model_dir)
            history = from_model(density, options.num_samples, num_outputs, options.init_value, target)
            _report(history)
            inside = _inside(density, history.samples.shape[1])
            for n in range(options.num_samples):
                gallery.add(f"sample-{n:03}", _stages(history, n), history.energies[:, n], inside=inside)
        else:
            _add_from_buffer(density, options, model_dir, gallery)
    log.info(f"Wrote {gallery.count} samples to {out_dir}/feats.scp, and pictures of them")
    return 0


def _add_from_buffer(density: TrainedDensity, options: GenerateOptions, folder: Path, gallery: Gallery) -> None:
    count = options.top_k or options.num_samples
    model, frames = density.model, density.buffer.samples.shape[1]
    target = read_target(options.pdfs, options.phones, model.num_outputs(frames), model.num_pdfs, folder)
    inside = _inside(density, frames)
    if target is None:
        for n, (sample, score) in enumerate(zip(*from_buffer(density, count), strict=True)):
            gallery.add(f"buffer-{n:03}", [(f"log-density {score:.2f} per frame", sample)], inside=inside)
        return
    samples, scores = from_buffer(density, len(density.buffer.samples), target)
    for name, order in (("best", range(len(scores))), ("worst", range(len(scores) - 1, -1, -1))):
        for n, place in enumerate(islice(order, count)):
            caption = f"mean output for the pdfs {scores[place]:.2f}"
            gallery.add(f"{name}-{n:03}", [(caption, samples[place])], inside=inside)
    log.info(f"Mean outputs for the pdfs, of {len(scores)} samples: {scores[0]:.3f} to {scores[-1]:.3f}")


def decorrupt(options: DecorruptOptions, data_dir: str, model_dir: Path, out_dir: Path) -> int:
    """Utterances before and after. Raises KaldiError for options, models or files that do not fit."""
    density, inverter = _load(options, model_dir)
    features = TableFeatures(data_dir)
    if features.dim != density.model.feature_dim:
        raise KaldiError(f"{data_dir} has features of dimension {features.dim}, not {density.model.feature_dim}")
    normalizer = Normalizer.of_options(density.run.options.normalization, data_dir)
    random = np.random.default_rng(options.srand)
    before, after = [], []
    with Gallery(out_dir, normalizer, inverter) as gallery:
        for utterance in islice(features.lengths, options.num_utterances or None):
            clean = features.frames(utterance, 0, features.lengths[utterance], None)
            clean = normalizer(utterance, clean) if normalizer else clean
            noisy = corrupt(options.corruption, clean, options.corruption_level, random)
            history = restore(density, noisy)
            stages = [(f"before ({options.corruption})", noisy), (_after(history), history.samples[0])]
            if options.corruption != "none":
                stages.insert(0, ("original", clean))
            gallery.add(utterance, stages, history.energies[:, 0], utterance)
            before.append(np.square(noisy - clean).mean())
            after.append(np.square(history.samples[0] - clean).mean())
    log.info(f"Wrote {gallery.count} utterances to {out_dir}/feats.scp, and pictures of them")
    if options.corruption != "none":
        log.info(f"Mean squared distance from the original: {np.mean(before):.4f} before, {np.mean(after):.4f} after")
    return 0


def _load(options: ModelOptions, folder: Path) -> tuple[TrainedDensity, FeatureInverter | None]:
    features = feature_options(options)
    inverter = FeatureInverter(features) if features else None
    torch.manual_seed(options.srand)
    density = TrainedDensity.load(folder, options.iteration, words(options.sampler_opts, "sampler-opts"))
    if density.run.options.online_cmvn:
        raise KaldiError(f"{folder} was trained on features normalized online, which cannot be undone for a sample")
    if inverter is not None and inverter.dim != density.model.feature_dim:
        raise KaldiError(f"the config makes {inverter.dim} dimensions, the model has {density.model.feature_dim}")
    return density.to(select_device("yes" if options.use_gpu else "no")), inverter


def _stages(history: History, number: int) -> list[tuple[str, np.ndarray]]:
    """A few snapshots of a sample, the last one included."""
    chosen = np.unique(np.linspace(0, len(history.steps) - 1, STAGES).round().astype(int))
    return [(f"after {history.steps[i]} steps", history.snapshots[i][number]) for i in chosen]


def _after(history: History) -> str:
    return f"after {history.steps[-1]} steps"


def _inside(density: TrainedDensity, frames: int) -> tuple[int, int]:
    return density.model.left_context, frames - density.model.right_context


def _report(history: History) -> None:
    first, last = history.energies[0].mean(), history.energies[-1].mean()
    log.info(f"{history.steps[-1]} steps: mean energy per output frame from {first:.3f} to {last:.3f}")
