"""Which fault points a run tries: a sample that changes with every commit, a part, or all of them."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from typing import TypeVar

from support.tree import ROOT

T = TypeVar("T")

CHOICE = "PBXFLEET_FAULTS"
SEED = "PBXFLEET_FAULTS_SEED"


def seed() -> str:
    """What the sample depends on: the environment's word, else the commit that is tested."""
    given = os.environ.get(SEED, "")
    if given:
        return given
    argv = ("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "0"


def chosen(population: Sequence[T], size: int, name: str) -> list[T]:
    """`size` of them in their order, all with PBXFLEET_FAULTS=all, every k-th with k/n (from 1)."""
    choice = os.environ.get(CHOICE, "")
    if choice == "all":
        return list(population)
    if choice:
        part, _, parts = choice.partition("/")
        return list(population[int(part) - 1 :: int(parts)])
    draw = random.Random(f"{seed()} {name}")  # noqa: S311  not for secrets
    picked = draw.sample(range(len(population)), min(size, len(population)))
    return [population[index] for index in sorted(picked)]
