"""Predicates over (machine, outcome): `--property docs/examples/predicates.py:NAME`."""

from pamt.machine import Machine
from pamt.outcome import Outcome
from pamt.ranges import PAGE


def every_node_is_at_home(machine: Machine, outcome: Outcome) -> bool:
    """After a success, every node with memory is the home of some TDMR."""
    if outcome.ret != 0:
        return True
    for r in machine.memory or ():
        found = False
        for t in outcome.tdmrs:
            if t.home == r.node:
                found = True
        if not found:
            return False
    return True


def metadata_is_at_home(machine: Machine, outcome: Outcome) -> bool:
    """After a success, memory of a node that is no TDMR's home has its PAMT on that node."""
    if outcome.ret != 0:
        return True
    for r in machine.memory or ():
        homeless = True
        for t in outcome.tdmrs:
            if t.home == r.node:
                homeless = False
        for t in outcome.tdmrs:
            meets = r.start < t.base + t.size and t.base < r.end
            if homeless and meets and t.pamt_node != r.node:
                return False
    return True


def a_run_of_2053_pages_is_found(machine: Machine, outcome: Outcome) -> bool:
    """Where no room is found for the PAMTs of one TDMR of 1 GiB, no free run has 2053 pages."""
    if outcome.reason != "ENOMEM_pamt":
        return True
    return all(run.end - run.start < 2053 * PAGE for run in machine.free or ())


def a_run_of_2052_pages_is_found(machine: Machine, outcome: Outcome) -> bool:
    """The same with one page less, which is not so."""
    if outcome.reason != "ENOMEM_pamt":
        return True
    return all(run.end - run.start < 2052 * PAGE for run in machine.free or ())


def memory_behind_a_null_cmr_stays(machine: Machine, outcome: Outcome) -> bool:
    """After a success with a null CMR between two others, only PAMTs take memory out of use."""
    cmrs = machine.cmrs or ()
    if outcome.ret != 0 or len(cmrs) < 3:
        return True
    if cmrs[0].size == 0 or cmrs[1].size != 0 or cmrs[2].size == 0:
        return True
    for t in outcome.tdmrs:
        for area in t.reserved or ():
            start = t.base + area.offset
            end = start + area.size
            a_pamt = False
            for u in outcome.tdmrs:
                if u.pamts[0].base <= start and end <= u.pamts[2].base + u.pamts[2].size:
                    a_pamt = True
            if a_pamt:
                continue
            for r in machine.memory or ():
                if start < r.end and r.start < end:
                    return False
    return True
