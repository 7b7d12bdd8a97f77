"""Builds the C++ extensions, names the programs, carries the scripts of recipes; everything else is in setup.cfg.

Where C++ does not compile, the extensions are left out with a warning (pip shows it with -v), and their users say so
when they run. With NNET_PYTORCH_EXTENSION=required in the environment the installation fails instead: make sets it.
"""

import os
import sys
from glob import glob
from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # setuptools runs this without
from nnet3_compat.machine.programs import find_programs  # noqa: E402
from nnet3_compat.machine.recipes import installed_files  # noqa: E402


def extension(package: str) -> Pybind11Extension:
    """package._csrc of all sources in the package's csrc/."""
    folder = package.replace(".", "/") + "/csrc"
    made = Pybind11Extension(
        f"{package}._csrc",
        sorted(glob(f"{folder}/*.cc")),
        depends=sorted(glob(f"{folder}/*.h")),
        cxx_std=17,
        extra_compile_args=["-O3", "-g0", "-pthread", "-Wno-psabi"],
        extra_link_args=["-pthread"],
    )
    made.optional = os.environ.get("NNET_PYTORCH_EXTENSION") != "required"
    return made


class BuildExtensions(build_ext):
    def build_extension(self, ext: Pybind11Extension) -> None:
        """A failure takes the extension of an earlier build in the source tree with it: that is not these sources'."""
        try:
            super().build_extension(ext)
        except Exception:
            for earlier in ROOT.glob(ext.name.replace(".", "/") + ".*.so"):
                earlier.unlink()
            raise


ParallelCompile(default=0).install()  # a file on each core

setup(
    ext_modules=[extension("kaldi_bridge"), extension("nnet3_compat.chain"), extension("nnet3_compat.folded")],
    entry_points={"console_scripts": [program.entry_point for program in find_programs(ROOT)]},
    data_files=installed_files(ROOT),
    cmdclass={"build_ext": BuildExtensions},
)
