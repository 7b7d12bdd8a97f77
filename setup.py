"""Builds the C++ extension; everything else is in setup.cfg."""

from glob import glob

from pybind11.setup_helpers import Pybind11Extension, build_ext
from setuptools import setup

setup(
    ext_modules=[
        Pybind11Extension(
            "kaldi_bridge._csrc",
            sorted(glob("kaldi_bridge/csrc/*.cc")),
            depends=sorted(glob("kaldi_bridge/csrc/*.h")),
            cxx_std=17,
            extra_compile_args=["-O3", "-g0"],
        )
    ],
    cmdclass={"build_ext": build_ext},
)
