"""What the module answers to a configuration: the fast formula, and the walk to name the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pamt.configuration import Configuration
from pamt.machine import Cmr, Limits, Machine
from pamt.module.accept import accepts
from pamt.module.config import sys_config
from pamt.module.status import SUCCESS, Status
from pamt.outcome import Outcome

__all__ = ["DisagreementError", "check", "check_outcome"]


class DisagreementError(RuntimeError):
    """The acceptance formula and the ordered walk differ: a defect of this program (exit 70)."""


def check(configuration: Configuration, cmrs: Sequence[Cmr], limits: Limits) -> Status:
    """What TDH.SYS.CONFIG answers; see :func:`pamt.module.config.sys_config`.

    Near-linear when the configuration is accepted.
    Raises DisagreementError when the formula refuses what the walk accepts.
    """
    if accepts(configuration, cmrs, limits):
        return SUCCESS
    status = sys_config(configuration, cmrs, limits)
    if status.accepted:
        raise DisagreementError("the acceptance formula refuses what no rule of the module refuses")
    return status


def check_outcome(outcome: Outcome, machine: Machine) -> Status:
    """What the module answers to the configuration of a policy that succeeded.

    Whether dynamic PAMT is asked for is the outcome's to say, not the map's.
    Raises ValueError when the outcome is a failure, or the machine's stand-ins are not filled in.
    """
    if machine.cmrs is None:
        raise ValueError("the machine's stand-ins have not been filled in")
    limits = replace(machine.limits, dynamic_pamt=outcome.dynamic_pamt)
    return check(outcome.configuration(), machine.cmrs, limits)
