"""X-vectors, PLDA and clustering beside Kaldi's programs, one thread each.

A network of the size of Kaldi's recipes (4.3 million parameters without the layers that only training has) with random
weights, 40 utterances of 250 to 900 frames; 200 speakers of ten vectors of 150 dimensions; a recording of 600 segments.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from beside_kaldi import compare

from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR

DIM, SPEAKERS = 150, 200
LAYERS = (
    (120, 512, "Append(Offset(input,-2),Offset(input,-1),input,Offset(input,1),Offset(input,2))"),
    (1536, 512, "Append(Offset(r0,-2),r0,Offset(r0,2))"),
    (1536, 512, "Append(Offset(r1,-3),r1,Offset(r1,3))"),
    (512, 512, "r2"),
    (512, 1500, "r3"),
)
POOLED = """component name=e type=StatisticsExtractionComponent input-dim=1500
component-node name=e component=e input=r4
component name=p type=StatisticsPoolingComponent input-dim=3001 left-context=0 right-context=10000 output-stddevs=true
component-node name=p component=p input=e
component name=x type=NaturalGradientAffineComponent input-dim=3000 output-dim=512
component-node name=x component=x input=p
output-node name=output input=x
"""


def make_network(folder: Path) -> None:
    config = "input-node name=input dim=24\n"
    for i, (inputs, outputs, descriptor) in enumerate(LAYERS):
        config += (
            f"component name=a{i} type=NaturalGradientAffineComponent input-dim={inputs} output-dim={outputs}\n"
            f"component-node name=a{i} component=a{i} input={descriptor}\n"
            f"component name=r{i} type=RectifiedLinearComponent dim={outputs}\n"
            f"component-node name=r{i} component=r{i} input=a{i}\n"
        )
    (folder / "config").write_text(config + POOLED)
    program = Path(sys.executable).with_name("nnet-pytorch-init")
    subprocess.run([program, folder / "config", folder / "net"], check=True, stderr=subprocess.DEVNULL)


def make_inputs(folder: Path) -> None:
    random = np.random.default_rng(0)
    with TableWriter(f"ark:{folder}/feats.ark", FLOAT_MATRIX) as feats:
        for i in range(40):
            feats.write(f"u{i:02}", random.normal(size=(int(random.integers(250, 900)), 24)))
    keys = [f"s{speaker:03}-{number}" for speaker in range(SPEAKERS) for number in range(10)]
    own = {speaker: random.normal(size=DIM) for speaker in range(SPEAKERS)}
    with TableWriter(f"ark:{folder}/vectors.ark", FLOAT_VECTOR) as vectors:
        for i, key in enumerate(keys):
            vectors.write(key, own[i // 10] + 1.5 * random.normal(size=DIM))
    names = [f"s{speaker:03}" for speaker in range(SPEAKERS)]
    texts = {
        "spk2utt": "".join(f"{name} {' '.join(keys[10 * i : 10 * i + 10])}\n" for i, name in enumerate(names)),
        "trials": "".join(f"{name} {key}\n" for name in names for key in keys[::10]),
        "reco2utt": f"recording {' '.join(keys[:600])}\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        make_network(Path(name))
        make_inputs(Path(name))
        vectors, feats = f"ark:{name}/vectors.ark", f"ark:{name}/feats.ark"
        compare(
            "speakers",
            {
                "nnet3-xvector-compute": f"{{0}}xvector-compute {name}/net {feats} ark:{name}/x.ark",
                "nnet3-xvector-compute-batched": f"{{0}}xvector-compute-batched {name}/net {feats} ark:{name}/x.ark",
            },
            "nnet3-xvector-compute",
            "nnet3-",
        )
        compare(
            "",
            {
                "ivector-compute-plda": f"{{0}}ivector-compute-plda ark:{name}/spk2utt {vectors} {name}/plda",
                "ivector-mean": f"{{0}}ivector-mean ark:{name}/spk2utt {vectors} ark:{name}/means.ark",
                "ivector-plda-scoring, 40000 trials": f"{{0}}ivector-plda-scoring {name}/plda ark:{name}/means.ark "
                f"{vectors} {name}/trials {name}/scores",
                "ivector-plda-scoring-dense, 600 segments": f"{{0}}ivector-plda-scoring-dense {name}/plda "
                f"ark:{name}/reco2utt {vectors} ark:{name}/dense.ark",
                "agglomerative-cluster, 600 segments": f"{{0}}agglomerative-cluster ark:{name}/dense.ark "
                f"ark:{name}/reco2utt ark,t:{name}/labels",
            },
            "ivector-compute-plda",
        )


if __name__ == "__main__":
    main()
