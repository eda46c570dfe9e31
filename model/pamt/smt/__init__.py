"""Placement questions as formulas, and the only place that imports an SMT solver.

:mod:`terms` is a small formula language of our own, so that encodings are plain data that can be
handed to z3 (:mod:`session`), written as SMT-LIB text (:mod:`export`) and looked at in a test.
:mod:`encoding` turns a :class:`pamt.placement.Question` into named, grouped assertions.  Nothing is
imported from a solver until a session is opened.
"""
