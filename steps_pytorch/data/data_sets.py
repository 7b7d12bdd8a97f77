"""From directories to minibatches: which utterances are trained on, which validated on."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.discriminative_splitting import SplittingOptions
from kaldi_bridge.features.frame_store import INDEX
from kaldi_bridge.features.options import FbankOptions, MfccOptions, WaveformOptions
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import read_rows, read_text
from kaldi_bridge.options import read_options
from kaldi_bridge.transforms.global_cmvn import read_global_stats
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.dataset import AnyTargets, Chunking, ChunkShape, DataSet
from steps_pytorch.data.feature_sources import FeatureSource, StoredFeatures, TableFeatures
from steps_pytorch.data.flat_start import GRAPHS, FlatStartTargets
from steps_pytorch.data.ivectors import OnlineIvectors
from steps_pytorch.data.lattice_targets import LatticeTargets
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.data.online_normalization import OnlineNormalized
from steps_pytorch.data.options import DataOptions
from steps_pytorch.data.perturbation.options import PerturbationOptions
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from steps_pytorch.group import Group

MOST_VALID = 0.1  # of all utterances, copies at other speeds not counted
NO_TARGETS = "none"
OWN = ("chunk_width", "minibatch_size", "cmvn_opts")  # options that a data set may have otherwise
NUMBERS = {"weight": float, "repeat": float, "left_context": int, "right_context": int}


@dataclass
class DataSpec:
    """Where a data set is; ``targets`` "none": it is unlabeled.

    Attributes:
        own: options of the run by name, where they are others for this set: OWN, and those of PerturbationOptions.
        left_context, right_context: input frames, where it has more than the model needs.
    """

    data: str
    targets: str
    name: str = "train"
    store: str = ""
    ivectors: str = ""
    weight: float = 1.0
    repeat: float = 1.0
    left_context: int = -1
    right_context: int = -1
    own: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, line: str) -> DataSpec:
        """Of a line ``name=x data=dir ...``. Raises KaldiError naming it."""
        given = (word.partition("=")[::2] for word in words(line))
        values: dict[str, Any] = {name.replace("-", "_"): value for name, value in given}
        kinds = {name: type(default) for name, default in vars(PerturbationOptions()).items()}
        kinds.update(dict.fromkeys(OWN, str))
        try:
            values.update({name: kind(values[name]) for name, kind in NUMBERS.items() if name in values})
            own = {name: kind(values.pop(name)) for name, kind in kinds.items() if name in values}
            return cls(**{"targets": NO_TARGETS, **values, "own": own})
        except (TypeError, ValueError) as error:
            raise KaldiError(f"data set line {line!r}: {error}") from None

    def options_of(self, options: DataOptions) -> DataOptions:
        """A run's options, as they are for this set."""
        return dataclasses.replace(options, **self.own)

    def chunking(self) -> Chunking:
        """What is other than for the run."""
        width, size = self.own.get("chunk_width", ""), self.own.get("minibatch_size", "")
        return Chunking(width, size, self.left_context, self.right_context)


@dataclass
class Data:
    """All data sets of a run, opened."""

    train: list[DataSet]
    valid: DataSet
    num_pdfs: int
    factor: int
    options: DataOptions = field(repr=False)

    @property
    def feature_dim(self) -> int:
        return self.valid.feature_dim

    @property
    def ivector_dim(self) -> int:
        return self.valid.ivector_dim

    def loader(self, shape: ChunkShape, group: Group, seed: int, job: int = 0, num_jobs: int = 1) -> ChunkLoader:
        """Minibatches to train on: this process's share, or this job's."""
        rank, size = (job, num_jobs) if num_jobs > 1 else (group.rank, group.size)
        return ChunkLoader(
            self.train,
            shape,
            chunk_width=self.options.chunk_width,
            minibatch_size=self.options.minibatch_size,
            mixing=self.options.mixing,
            batches_per_epoch=self.options.minibatches_per_epoch,
            seed=seed,
            num_workers=self.options.num_workers,
            rank=rank,
            world_size=size,
        )

    def valid_loader(self, shape: ChunkShape, group: Group) -> ChunkLoader:
        return ChunkLoader(
            [self.valid],
            shape,
            chunk_width=self.options.chunk_width,
            minibatch_size=self.options.minibatch_size,
            training=False,
            rank=group.rank,
            world_size=group.size,
        )


@dataclass
class TargetKind:
    """What the objective wants: pdfs, unless one of these says otherwise.

    Attributes:
        normalization_fst: of LF-MMI, whose targets are supervisions.
        lattice_model: of MMI, MPFE and sMBR, the .mdl that made the lattices; ``splitting``: how they are cut.
    """

    normalization_fst: str = ""
    lattice_model: str = ""
    splitting: SplittingOptions = field(default_factory=SplittingOptions)


def open_data(
    options: DataOptions,
    first: DataSpec,
    kind: TargetKind,
    seed: int,
    num_epochs: float = 1.0,
) -> Data:
    """Opens the first data set, those of --more-data, and that of --valid-data: without it, some utterances of the
    first set are set apart to validate on.

    Raises KaldiError naming what is wrong.
    """
    if options.cmvn_stats and not options.online_cmvn:
        raise KaldiError("--cmvn-stats are for --online-cmvn")
    factor = options.frame_subsampling_factor or (3 if kind.normalization_fst else 1)
    train = [first]
    if options.more_data:
        lines = read_text(options.more_data).split("\n")
        train += [DataSpec.parse(line) for line in lines if words(line) and not words(line)[0].startswith("#")]
    valid = None
    if options.valid_data:
        valid = DataSpec.parse(f"name=valid {options.valid_data}")
        if valid.targets == NO_TARGETS:
            raise KaldiError(f"--valid-data={options.valid_data}: data to validate on need targets")
    specs = train if valid is None else [*train, valid]
    targets = [_targets(spec, options, kind) for spec in specs]
    numbers = {t.num_pdfs for t in targets if t is not None}
    if targets[0] is None or len(numbers) != 1:
        raise KaldiError(f"the first data set needs targets, and all the same number of pdfs; found {sorted(numbers)}")

    def opened(spec: DataSpec, which: int, utterances: Collection[str] | None) -> DataSet:
        own = spec.options_of(options)
        made = DataSet(
            spec.name,
            features[which],
            targets[which],
            normalizer=None if options.online_cmvn else Normalizer.of_options(own.normalization, spec.data),
            ivectors=OnlineIvectors(spec.ivectors) if spec.ivectors else None,
            perturbations=own.of_features(),
            perturbed_share=own.share_perturbed(num_epochs),
            speeds=own.speed_factors(),
            chunking=spec.chunking(),
            frame_subsampling_factor=factor,
            weight=spec.weight,
            repeat=spec.repeat,
            utterances=utterances,
        )
        if (made.feature_dim, made.ivector_dim) != (features[0].dim, sets[0].ivector_dim if sets else made.ivector_dim):
            raise KaldiError(f"data set {spec.name} has other features or i-vectors than {first.name}")
        return made

    features = [_features(spec, spec.options_of(options)) for spec in specs]
    if options.online_cmvn:
        statistics = read_global_stats(options.cmvn_stats or first.data)
        features = [
            OnlineNormalized(source, spec.options_of(options).normalization, statistics)
            for spec, source in zip(specs, features, strict=True)
        ]
    apart: set[str] = set()
    if valid is None:
        usable = [u for u in features[0].lengths if u in targets[0].lengths]
        apart = choose_valid(usable, options.valid_utterances, first.data, seed)
    sets: list[DataSet] = []
    for which, spec in enumerate(train):
        sets.append(opened(spec, which, [u for u in features[which].lengths if u not in apart] if which == 0 else None))
    if valid is None:
        held_out = opened(dataclasses.replace(first, name="valid", weight=1.0, repeat=1.0), 0, apart)
    else:
        held_out = opened(valid, len(train), None)
    return Data(sets, held_out, numbers.pop(), factor, options)


def _features(spec: DataSpec, options: DataOptions) -> FeatureSource:
    configs = {
        MfccOptions: options.mfcc_config,
        FbankOptions: options.fbank_config,
        WaveformOptions: options.waveform_config,
    }
    given = [(kind, config) for kind, config in configs.items() if config]
    if len(given) > 1:
        raise KaldiError("give one of --mfcc-config, --fbank-config and --waveform-config")
    if options.frequency_masks and (options.mfcc_config or options.waveform_config):
        raise KaldiError(
            "--frequency-masks are for filterbanks, neither for the cepstra of --mfcc-config nor for samples: give "
            "--fbank-config, or put an idct-layer and a spec-augment-layer into the network"
        )
    for kind, config in given:
        if spec.store:
            raise KaldiError(f"data set {spec.name}: features are either stored or computed by {config}")
        extraction = read_options(config, kind)
        return AudioFeatures(spec.data, extraction, options.of_waveforms(extraction.sample_frequency))
    if options.needs_recordings:
        raise KaldiError(
            "perturbed recordings need --mfcc-config, --fbank-config or --waveform-config, not features that are there"
        )
    return StoredFeatures(spec.store) if spec.store else TableFeatures(spec.data)


def _targets(spec: DataSpec, options: DataOptions, kind: TargetKind) -> AnyTargets | None:
    if spec.targets == NO_TARGETS:
        return None
    folder = Path(spec.targets)
    if kind.lattice_model:
        model = read_transition_model(kind.lattice_model)
        return LatticeTargets.of_directory(spec.targets, model, kind.splitting)
    if not kind.normalization_fst and (folder / INDEX).is_file():
        return PdfTargets.of_store(spec.targets, options.alignment_subsampling_factor)
    if not kind.normalization_fst:
        return PdfTargets.of_alignments(spec.targets, options.alignment_subsampling_factor)
    if any(folder.glob(GRAPHS)):
        return FlatStartTargets.of_directory(spec.targets)
    scp = folder / "supervision.scp"
    if not scp.is_file():
        raise KaldiError(f"no such file {scp}: make_supervisions.sh makes it of lattices or alignments")
    return SupervisionTargets(str(scp), kind.normalization_fst)


def choose_valid(utterances: list[str], count: int, data: str, seed: int) -> set[str]:
    """Utterances to validate on, with all copies (utt2uniq) of each."""
    unique = Path(data) / "utt2uniq"
    original = read_rows(unique) if unique.is_file() else {}
    groups = sorted({original.get(u, u) for u in utterances})
    chosen = set(Random(seed).sample(groups, max(1, min(count, int(MOST_VALID * len(groups))))))
    return {u for u in utterances if original.get(u, u) in chosen}
