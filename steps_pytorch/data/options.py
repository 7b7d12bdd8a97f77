"""What a run is trained on, as options."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import option
from steps_pytorch.data.perturbation.options import PerturbationOptions


@dataclass
class DataOptions(PerturbationOptions):
    """What is trained on."""

    store: str = option("", "Memory-mapped store of the features (make_memmap.sh); else the data directory's feats.scp")
    mfcc_config: str = option("", "Compute MFCC on the fly from wav.scp, by this file of Kaldi's options")
    fbank_config: str = option("", "Compute filterbank features on the fly from wav.scp, by this file of options")
    waveform_config: str = option("", "Train on the samples of wav.scp themselves, framed by this file of options")
    ivector_dir: str = option("", "Directory with ivector_online.scp and ivector_period")
    cmvn_opts: str = option("", "Normalization per speaker, as of apply-cmvn, --norm-vars=true say; default: none")
    online_cmvn: bool = option(
        False, "Normalize online instead, each utterance by itself; --cmvn-opts is then as of apply-cmvn-online"
    )
    cmvn_stats: str = option(
        "", "With --online-cmvn: the global statistics to begin with; default: of the data directory's cmvn.scp"
    )
    normalization_fst: str = option("", "Of the denominator graph; default: normalization.fst beside the den.fst")
    repeat: float = option(1.0, "How often an epoch goes through the data; more-data have their own")
    more_data: str = option(
        "",
        "File with a line for each further data set: name=x data=dir targets=dir|none store=dir weight=1 repeat=1, and "
        "what is otherwise than for the first: chunk-width, minibatch-size, cmvn-opts, left-context, right-context, "
        "perturbations: speeds=0.9,1.0,1.1 noise=dir",
    )
    mixing: str = option(
        "random", "Minibatches of several data sets: in random order, or alternate, one of each set in turn"
    )
    minibatches_per_epoch: int = option(0, "Minibatches of all data sets in an epoch; 0: a pass through the data")
    valid_data: str = option(
        "", "What to validate on, in the words of --more-data, data=dir targets=dir; else a part of the first data set"
    )
    valid_utterances: int = option(
        300, "Utterances, with their copies, to validate on instead of training; at most a tenth"
    )
    chunk_width: str = option(
        "150,110,100", "Input frames of a chunk, and what to fall back on; a range, 60-150; -1: whole utterances"
    )
    minibatch_size: str = option("64", "Chunks in a minibatch, or by their width: 150=64/100=128")
    frame_subsampling_factor: int = option(0, "Input frames per output frame; 0: 3 for LF-MMI, 1 for cross-entropy")
    alignment_subsampling_factor: int = option(1, "Input frames for one of the alignments: 3 for a chain tree's")
    num_workers: int = option(1, "Processes that make minibatches; 0: made in between")

    @property
    def normalization(self) -> str:
        """What the model directory's cmvn_opts say; nothing stands for apply-cmvn-online's own defaults."""
        return self.cmvn_opts or ("" if self.online_cmvn else "--norm-means=false --norm-vars=false")
