"""Where what recipes call lies, ``steps_pytorch/`` and ``utils/``, and beside them what the demonstration decodes."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from kaldi_bridge.errors import KaldiError

SHARE = "share/nnet-pytorch"
SCRIPTS = ("steps_pytorch", "steps_pytorch/lib", "utils", "utils/data")
# Of egs/tiny, a model and three recordings: a wheel is not to grow by more than some 200 kB.
DEMONSTRATION = (
    "egs/fsdd/conf/mfcc_hires.conf",
    "egs/tiny/model/final.mdl",
    "egs/tiny/graph/HCLG.fst",
    "egs/tiny/graph/words.txt",
    "egs/tiny/data/text",
    "egs/tiny/data/wav/en-us-f3-06.wav",
    "egs/tiny/data/wav/en-us-m3-02.wav",
    "egs/tiny/data/wav/en-us-m3-06.wav",
)


def installed_files(root: Path) -> list[tuple[str, list[str]]]:
    """What setup.py has installed below ``SHARE``, by folder: shell scripts, Python's of utils/, the demonstration."""
    found = []
    for folder in SCRIPTS:
        kinds = ("*.sh", "*.py") if folder == "utils" else ("*.sh",)
        scripts = [path for kind in kinds for path in (root / folder).glob(kind)]
        found.append((f"{SHARE}/{folder}", sorted(str(path.relative_to(root)) for path in scripts)))
    found += [(f"{SHARE}/{Path(name).parent}", [name]) for name in DEMONSTRATION]
    return found


def recipes_folder() -> Path:
    """Of the checkout that this package lies in, or of the installation: in an environment, a user's, or a --target.

    Raises KaldiError where there is none.
    """
    packages = Path(__file__).resolve().parents[2]
    schemes = [sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")]
    installations = [Path(sysconfig.get_path("data", scheme)) for scheme in schemes] + [packages]
    for folder in (packages, *(installation / SHARE for installation in installations)):
        if (folder / "steps_pytorch" / "train.sh").is_file() and (folder / "utils" / "run.py").is_file():
            return folder
    raise KaldiError(f"there are no steps_pytorch/ and utils/ in {installations[0] / SHARE}: install nnet-pytorch anew")
