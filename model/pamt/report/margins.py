"""How much more a machine can take, in words."""

from __future__ import annotations

from collections.abc import Sequence

from pamt.explain.margins import Margin
from pamt.report.words import count, size_text

__all__ = ["margin_text", "tightest"]


def margin_text(margin: Margin) -> str:
    node, size = margin.node, margin.size
    if margin.kind == "areas":
        room = count(margin.number, "more hole") if margin.number else "no more holes"
        return f"TDMR {margin.tdmr} has room for {room}"
    if margin.kind == "chunk":
        if not size:
            return f"no further chunk fits on node {node}: not even the PAMTs of 1 GiB"
        return f"largest chunk that still fits on node {node}: {size_text(size)}"
    if size is None:
        return f"works without any free memory on node {node}"
    return f"fails if node {node} loses {size_text(size)} of free memory from its top"


def tightest(found: Sequence[Margin]) -> str:
    """The TDMR with the least room for holes and the node with the least for a chunk, on one line.

    Empty where there is nothing to say.
    """
    texts: list[str] = []
    for kind, key in (("areas", "number"), ("chunk", "size")):
        of_kind = [margin for margin in found if margin.kind == kind]
        if of_kind:
            texts.append(margin_text(min(of_kind, key=lambda m: getattr(m, key) or 0)))
    return "; ".join(texts)
