"""The kernel variants as policies: ``linux:mainline``, ``linux:dpamt``, ``linux:cmr-v8.2``, ..."""

from __future__ import annotations

from typing import NamedTuple

from pamt.kernel.construct import construct
from pamt.kernel.variants import VARIANTS, Variant
from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.policies.protocol import Allocator

__all__ = ["LINUX", "LinuxPolicy", "cmr_nocheck", "cmr_v8_2", "dpamt", "mainline"]


class LinuxPolicy(NamedTuple):
    """One kernel variant, callable as a policy."""

    variant: Variant

    def __call__(self, machine: Machine, alloc: Allocator, /) -> Outcome:
        return construct(machine, alloc, self.variant)


LINUX = {name: LinuxPolicy(variant) for name, variant in VARIANTS.items()}

mainline = LINUX["mainline"]
dpamt = LINUX["dpamt"]
cmr_v8_2 = LINUX["cmr-v8.2"]
cmr_nocheck = LINUX["cmr-nocheck"]
