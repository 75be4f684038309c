"""Which packages are installed, asked once in a process.

ZenML asks with each table that it stores, to record where pandas comes from. Each time Python looks for all files of
all packages, which takes a second and a half.
"""

import importlib.metadata
from functools import cache


def remember_packages() -> None:
    """Let Python remember which packages are installed, from the first answer on. They do not change in a run."""
    if not hasattr(importlib.metadata.packages_distributions, "cache_info"):
        importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)
