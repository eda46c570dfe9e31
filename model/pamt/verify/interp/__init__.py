"""A predicated interpreter of ordinary Python: one run for all paths.

The functions of :mod:`pamt.kernel` (and a user's policy) are run here from their own source text,
in one of three ways:

* on plain values, giving exactly what Python gives (:class:`Concrete` domain);
* on symbolic values (:class:`pamt.smt.symbolic.Symbols`): one run stands for every map in a scope,
  with guards in place of control flow, and every ``return`` comes out with its guard;
* one loop body at a time, on a symbolic state that stands for any number of turns before it
  (:func:`step`, :func:`before`, :func:`after`): the steps of proofs without a bound.

A first run::

    from pamt.kernel.layout import lay_out_tdmrs
    from pamt.machine import MemoryRange
    from pamt.ranges import GIB
    from pamt.smt.symbolic import Symbols
    from pamt.verify.interp import Interpreter, guarded

    symbols = Symbols("pair")
    start = symbols.address("start", 0, 8 * GIB)
    end = symbols.address("end", 0, 8 * GIB)
    symbols.assume(start < end)
    run = Interpreter(symbols).call(lay_out_tdmrs, guarded([MemoryRange(start, end)]), 64)
    for guard, layout, place in run.returns:
        ...  # ask a solver about guard, symbols.side and layout

One inductive step of the same function, on TDMRs laid out so far of which only `last_end` matters::

    state = {"tdmrs": GuardedList(), "count": count, "last_end": last_end, "max_tdmrs": 64}
    done = step(Interpreter(symbols), lay_out_tdmrs, 0, state, MemoryRange(start, end))
    done.next.guard, done.next.variables["last_end"], done.returns
    state["tdmrs"].items  # what this step appended: [(guard, Range)]

What the language has, and what is refused, is in ``docs/verify.md``.
"""

from __future__ import annotations

from pamt.verify.interp.domain import Concrete, Domain
from pamt.verify.interp.refusal import Place, Refusal, ended_by, place_of_function
from pamt.verify.interp.run import Fault, Interpreter, Result, Return
from pamt.verify.interp.step import State, Step, after, before, step
from pamt.verify.interp.values import MISSING, Choice, GuardedList, Value, guarded

__all__ = [
    "MISSING",
    "Choice",
    "Concrete",
    "Domain",
    "Fault",
    "GuardedList",
    "Interpreter",
    "Place",
    "Refusal",
    "Result",
    "Return",
    "State",
    "Step",
    "Value",
    "after",
    "before",
    "ended_by",
    "guarded",
    "place_of_function",
    "step",
]
