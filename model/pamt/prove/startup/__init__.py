"""The start-up of TDX in Linux as a transition system, and what holds of it.

* :mod:`system`: parameters, state and rules: one text that runs on numbers and on formulas
* :mod:`statements`: what is claimed of every reachable state
* :mod:`explicit`: the graph of all states of a small instance; shortest trace to a violation
* :mod:`induction`: the same for any number of TDMRs, packages and GiBs, as obligations
* :mod:`draw`: a trace as text and as SVG
"""

from __future__ import annotations

from pamt.prove.startup.draw import trace_svg, trace_text
from pamt.prove.startup.explicit import Decision, Step, decide, decide_all, graph
from pamt.prove.startup.statements import STATEMENTS, Statement
from pamt.prove.startup.system import ERAS, Parameters, Phase, State

__all__ = [
    "ERAS",
    "STATEMENTS",
    "Decision",
    "Parameters",
    "Phase",
    "State",
    "Statement",
    "Step",
    "decide",
    "decide_all",
    "graph",
    "trace_svg",
    "trace_text",
]
