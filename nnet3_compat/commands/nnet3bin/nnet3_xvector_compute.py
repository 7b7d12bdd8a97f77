"""nnet-pytorch-xvector-compute: twin of nnet3-xvector-compute."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from nnet3_compat.utterances.computation_options import DeviceOptions, OptimizationOptions
from nnet3_compat.utterances.embedding_options import EmbeddingOptions, IgnoredOptions

USAGE = """Compute x-vectors, which tell speakers apart: the outputs of a network that pools statistics over time, of
all frames of an utterance, or of chunks, averaged.
Usage: nnet-pytorch-xvector-compute [options] <raw-nnet-in> <features-rspecifier> <vector-wspecifier>
e.g.: nnet-pytorch-xvector-compute "nnet3-copy --nnet-config=exp/extract.config exp/final.raw - |" scp:feats.scp \\
    ark,scp:xvector.ark,xvector.scp"""


@dataclass
class Options(EmbeddingOptions, IgnoredOptions, DeviceOptions, OptimizationOptions):
    """Options of nnet3-xvector-compute."""

    use_gpu: str = option("no", "yes|no|optional|wait: whether to compute on a CUDA device")


def xvector_compute(options: Options, nnet_in: str, features_rspecifier: str, vector_wspecifier: str) -> int:
    options.check()
    start = time.time()
    from nnet3_compat.model.model_file import read_nnet
    from nnet3_compat.utterances.embedding import embed_table

    nnet = read_nnet(nnet_in)
    done, failed, frames = embed_table(nnet, options, options.use_gpu, features_rspecifier, vector_wspecifier)
    log.info(log.time_taken(time.time() - start, frames))
    log.info(f"Done {done} utterances, failed for {failed}")
    return 0 if done else 1


main = command(xvector_compute, usage=USAGE)

if __name__ == "__main__":
    main()
