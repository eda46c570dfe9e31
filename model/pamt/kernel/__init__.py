"""What Linux does when it sets up TDX memory, stage by stage, in the order it does it.

Each stage is one plain function over lists of ranges in bytes: :mod:`memlist`, :mod:`layout`,
:mod:`sizes`, :mod:`contig`, :mod:`areas`; :mod:`construct` runs them in the kernel's order for a
:mod:`variant <pamt.kernel.variants>`.  The stages keep to a small subset of Python (loops over
ranges, comparisons, integer arithmetic, append, counters) because the very same source is also run
symbolically.
"""
