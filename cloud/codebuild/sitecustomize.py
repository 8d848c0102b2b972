# Installs of pip go to the build's own home instead of the machine, except in
# a virtual environment, which is the build's already.
import os
import sys

if sys.prefix == getattr(sys, "base_prefix", sys.prefix):
    if "PIP_USER" not in os.environ:
        os.environ["PIP_USER"] = "1"
        os.environ["OURO_PIP_USER"] = "1"
elif os.environ.pop("OURO_PIP_USER", None):
    os.environ.pop("PIP_USER", None)
