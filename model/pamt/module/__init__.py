"""What the TDX module accepts: its rules, in its order, with its status words.

Every rule is written once, as a small pure function in :mod:`pamt.module.rules`.  The ordered walk
(:mod:`pamt.module.config`) calls them the way TDH.SYS.CONFIG does and names the first that fails;
:mod:`pamt.module.accept` is a fast yes or no that both the tests and every `check` hold against
the walk.  Rules and walk keep to a small subset of Python (loops over sequences, comparisons,
integer arithmetic, append, counters, helper calls), since the same source is also run symbolically.

Numbers are Python's exact integers.  Where the module's 64-bit arithmetic could wrap, a rule with
:func:`pamt.module.words.fits` comes first, so exact and wrapped values agree from there on.
"""
