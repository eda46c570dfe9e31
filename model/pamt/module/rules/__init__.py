"""The rules, in the order in which the module comes to them; importing this registers them all.

Each answers True when it is broken.  A rule may rely on every rule before it having passed.
"""

# isort: off
from pamt.module.rules import cmr as cmr
from pamt.module.rules import operands as operands
from pamt.module.rules import tdmr as tdmr
from pamt.module.rules import reserved as reserved
from pamt.module.rules import pamt as pamt
from pamt.module.rules import overlaps as overlaps
from pamt.module.rules import convertible as convertible
