"""Properties of policies, by name.

``accepted``, ``covered``, ``complete:linux``, ``complete:module``, ``complete:--tdmrs free ...``
(``@REASON`` restricts it to failures with that reason), ``local``, ``areas-at-most:K``,
``never:REASON``,
``no-worse-than:POLICY``, ``clean``, ``renaming``, or a predicate ``FILE.py:function``.
"""

from __future__ import annotations

from typing import Any

from pamt.placement.space import LINUX, PRESETS, Space
from pamt.policies.protocol import Policy
from pamt.policies.registry import get_policy
from pamt.verify.obligation import Property
from pamt.verify.properties.accepted import Accepted
from pamt.verify.properties.compare import NoWorseThan, Renaming
from pamt.verify.properties.complete import Complete
from pamt.verify.properties.covered import Covered
from pamt.verify.properties.simple import AreasAtMost, Clean, Local, Never
from pamt.verify.properties.user import UserProperty, load_function
from pamt.verify.stages import STAGES

__all__ = ["PROPERTY_NAMES", "load_policy", "parse_property", "parse_space"]

PROPERTY_NAMES = (
    "accepted",
    "covered",
    "complete:SPACE",
    "local",
    "areas-at-most:K",
    "never:REASON",
    "no-worse-than:POLICY",
    "clean",
    "renaming",
    "FILE.py:function",
)


def load_policy(name: str) -> Policy:
    """A registered policy, or ``FILE.py:function``.

    Raises pamt.policies.registry.UnknownPolicyError, or UserFileError.
    """
    if ".py:" in name:
        policy: Policy = load_function(name)
        return policy
    if name in STAGES:
        return STAGES[name]
    return get_policy(name)


def parse_property(text: str) -> Property:
    """The property that a name stands for.

    Raises ValueError (UserFileError is one) with what was expected.
    """
    simple: dict[str, Property] = {
        "accepted": Accepted(),
        "covered": Covered(),
        "clean": Clean(),
        "local": Local(),
        "renaming": Renaming(),
    }
    if text in simple:
        return simple[text]
    if ".py:" in text and not text.startswith("no-worse-than:"):
        return UserProperty(text, load_function(text))
    kind, _, argument = text.partition(":")
    if kind == "areas-at-most" and argument.isdigit():
        return AreasAtMost(int(argument))
    if kind == "never" and argument:
        return Never(argument)
    if kind == "no-worse-than" and argument:
        return NoWorseThan(argument, load_policy(argument))
    if kind == "complete" and argument:
        space_text, _, reason = argument.partition("@")
        return Complete(space_text, parse_space(space_text), reason or None)
    raise ValueError(f"unknown property {text!r}; known: {', '.join(PROPERTY_NAMES)}")


def parse_space(text: str) -> Space:
    """``linux``, ``module``, or options such as ``--tdmrs free --reserve cmr``.

    Options start from ``linux``, or from a preset named first.  Raises ValueError.
    """
    words = text.split()
    space = LINUX
    if words and words[0] in PRESETS:
        space = PRESETS[words.pop(0)]
    allowed: dict[str, tuple[str, ...]] = {
        "--tdmrs": ("kernel", "free"),
        "--pamt": ("chunk", "split"),
        "--reserve": ("memory", "cmr", "minimal"),
    }
    changes: dict[str, Any] = {}
    if len(words) % 2:
        raise ValueError(f"an option of {text!r} has no value")
    for option, value in zip(words[::2], words[1::2], strict=True):
        if option == "--give-up" and value.isdigit():
            changes["give_up"] = int(value)
            continue
        if option not in allowed or value not in allowed[option]:
            known = ", ".join(f"{k} {'|'.join(v)}" for k, v in allowed.items())
            raise ValueError(f"unknown {option} {value}; known: {known}, --give-up PAGES")
        changes[option[2:]] = value
    return space._replace(**changes)
