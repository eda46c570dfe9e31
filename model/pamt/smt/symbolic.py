"""Symbolic integers and truth values that behave like Python's: the domain of symbolic runs.

A :class:`Symbols` owns the variables of one run.  A :class:`SymInt` is ``unit * term`` for a fixed
positive Python integer `unit` and a solver term, so that addresses (multiples of 4 KiB) and TDMR
sizes (multiples of 1 GiB) stay small numbers, and division by a divisor of the unit costs nothing.
It carries exact Python bounds ``low <= value <= high``: comparisons that the bounds decide never
reach the solver.  What is decided is a Python int or bool, so ordinary arithmetic on knowns stays
ordinary arithmetic.

Encodings of an address:

=======  ==========================================================================
lin      one integer; GiB and offset come in when something is rounded
pair     (GiB, offset): compared lexicographically
bv       a signed bit-vector: exact bit operations, quick to violate, slow to prove
=======  ==========================================================================

A guard (:class:`SymBool`) remembers how it was built as a conjunction, so that "this branch, but
not that exit" stays short.  Every definition introduced on the way (bounds of variables, quotients)
is in :attr:`Symbols.side` and must be asserted with any query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import gcd, isinf
from typing import Any, Literal

from pamt.smt.fast_terms import conjunction, disjunction, negation

__all__ = ["Encoding", "SymBool", "SymCount", "SymInt", "Symbols"]

Encoding = Literal["lin", "pair", "bv"]

PAGE = 1 << 12
GIB = 1 << 30
_BV_WIDTH = 62


class SymBool:
    """A truth value under construction.  Made by comparisons and by :class:`Symbols` only."""

    __slots__ = ("_flat", "atom", "known_not", "parent", "symbols", "term")

    def __init__(
        self,
        symbols: Symbols,
        term: Any,
        parent: SymBool | None = None,
        atom: SymBool | None = None,
    ) -> None:
        self.symbols = symbols
        self.term = term
        self.parent = parent
        """This is ``parent and atom``; None for a guard that was not made as a conjunction."""
        self.atom = atom
        self.known_not: SymBool | None = None
        self._flat: frozenset[SymBool] | None = None

    @property
    def atoms(self) -> frozenset[SymBool]:
        """The guards whose conjunction this was made as; itself alone if it was not."""
        if self._flat is None:
            found: set[SymBool] = set()
            waiting = [self]
            while waiting:
                at = waiting.pop()
                if at._flat is not None:
                    found |= at._flat
                elif at.parent is None or at.atom is None:
                    found.add(at)
                else:
                    waiting += [at.atom, at.parent]
            self._flat = frozenset(found)
        return self._flat

    def __bool__(self) -> bool:
        decide = self.symbols.decide
        if decide is None:
            raise TypeError("a symbolic truth value was used as a plain one")
        return decide(self)

    def __repr__(self) -> str:
        return f"SymBool({self.term})"


Guard = Any
"""bool or SymBool."""


class SymInt:
    """``unit * term``, known to lie in ``[low, high]``.  Supports + - * // % and comparisons.

    ``*`` needs one plain operand, ``//`` and ``%`` a plain positive divisor, ``&`` and ``~`` the
    ``bv`` encoding.
    """

    __slots__ = ("_term", "extreme", "high", "low", "pair", "symbols", "unit")

    def __init__(
        self,
        symbols: Symbols,
        term: Any,
        unit: int,
        low: int,
        high: int,
        pair: tuple[Any, Any] | None = None,
    ) -> None:
        self.symbols = symbols
        self._term = term
        self.unit = unit
        self.low = low
        self.high = high
        self.pair = pair
        """(whole GiBs, pages above them) as SymInt or int, where known."""
        self.extreme: tuple[bool, Any, Any] | None = None
        """(True, a, b) for the larger of a and b, (False, a, b) for the smaller."""

    @property
    def term(self) -> Any:
        return self._term

    # Arithmetic

    def _in_unit(self, unit: int) -> Any:
        return self.symbols.times(self.term, self.unit // unit)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, int):
            if other == 0:
                return self
            unit = gcd(self.unit, other)
            term = self.symbols.plus(self._in_unit(unit), self.symbols.number(other // unit))
            made = SymInt(self.symbols, term, unit, self.low + other, self.high + other)
            if self.pair is not None and other % GIB == 0:
                made.pair = (self.pair[0] + other // GIB, self.pair[1])
            return made
        if not isinstance(other, SymInt):
            return NotImplemented
        unit = gcd(self.unit, other.unit)
        term = self.symbols.plus(self._in_unit(unit), other._in_unit(unit))
        return self.symbols.settle(
            SymInt(self.symbols, term, unit, self.low + other.low, self.high + other.high)
        )

    __radd__ = __add__

    def __neg__(self) -> Any:
        return SymInt(
            self.symbols, self.symbols.times(self.term, -1), self.unit, -self.high, -self.low
        )

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, SymInt):
            if other is self:
                return 0
            unit = gcd(self.unit, other.unit)
            term = self.symbols.minus(self._in_unit(unit), other._in_unit(unit))
            return self.symbols.settle(
                SymInt(self.symbols, term, unit, self.low - other.high, self.high - other.low)
            )
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, bool) or not isinstance(other, int):
            return NotImplemented
        if other == 0:
            return 0
        if other > 0:
            return SymInt(
                self.symbols, self.term, self.unit * other, self.low * other, self.high * other
            )
        return -(self * -other)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: Any) -> Any:
        if isinstance(divisor, SymInt):
            return self.symbols.divided(self, divisor)
        if divisor <= 0:
            raise TypeError("symbolic // needs a positive divisor")
        if self.low // divisor == self.high // divisor:
            return self.low // divisor
        if self.unit % divisor == 0:
            return SymInt(
                self.symbols,
                self.term,
                self.unit // divisor,
                self.low // divisor,
                self.high // divisor,
            )
        if divisor == GIB and self.pair is not None:
            return self.pair[0]
        return self.symbols.quotient(self, divisor)[0]

    def __mod__(self, divisor: int) -> Any:
        if self.unit % divisor == 0:
            return 0
        return self - (self // divisor) * divisor

    def __and__(self, other: Any) -> Any:
        return self.symbols.bit_and(self, other)

    __rand__ = __and__

    def __invert__(self) -> Any:
        return -self - 1

    # Comparison

    def __lt__(self, other: Any) -> Any:
        return self.symbols.compare("<", self, other)

    def __le__(self, other: Any) -> Any:
        return self.symbols.compare("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return self.symbols.compare("<", other, self)

    def __ge__(self, other: Any) -> Any:
        return self.symbols.compare("<=", other, self)

    def __eq__(self, other: object) -> Any:
        return self.symbols.compare("==", self, other)

    def __ne__(self, other: object) -> Any:
        return self.symbols.negation(self.symbols.compare("==", self, other))

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        return f"<{self.low:#x}..{self.high:#x}>"

    def __index__(self) -> int:
        raise TypeError("a symbolic integer was used as a plain one")

    def __repr__(self) -> str:
        return f"SymInt({self.unit}*{self.term} in [{self.low}, {self.high}])"


class SymCount(SymInt):
    """``base`` plus the weights of the guards that hold: a counter, a length.

    Against a plain number it is compared as a pseudo-boolean constraint, never as nested
    if-then-else.
    """

    __slots__ = ("base", "parts")

    def __init__(self, symbols: Symbols, base: int, parts: tuple[tuple[SymBool, int], ...]) -> None:
        low = base + sum(weight for _, weight in parts if weight < 0)
        high = base + sum(weight for _, weight in parts if weight > 0)
        super().__init__(symbols, None, 1, low, high)
        self.base = base
        self.parts = parts

    @property
    def term(self) -> Any:
        if self._term is None:
            self._term = self.symbols.sum_of(self.base, self.parts)
        return self._term

    def __add__(self, other: Any) -> Any:
        if isinstance(other, SymCount):
            return SymCount(self.symbols, self.base + other.base, self.parts + other.parts)
        if isinstance(other, int):
            return SymCount(self.symbols, self.base + other, self.parts)
        return super().__add__(other)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return SymCount(self.symbols, -self.base, tuple((g, -w) for g, w in self.parts))

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, bool) or not isinstance(other, int):
            return NotImplemented
        return SymCount(
            self.symbols, self.base * other, tuple((g, w * other) for g, w in self.parts)
        )

    __rmul__ = __mul__


class Symbols:
    """Variables and operations of one symbolic run."""

    integer_type = SymInt
    guard_type = SymBool

    def __init__(self, encoding: Encoding = "lin") -> None:
        import z3

        self._z3 = z3
        self.context: Any = z3.Context()
        """Of these symbols alone: steps do not depend on what was asked before in the process."""
        self.encoding: Encoding = encoding
        self.side: list[Any] = []
        """Solver constraints that define what was introduced; assert them with every query."""
        self.variables: dict[str, SymInt | SymBool] = {}
        self.decide: Callable[[SymBool], bool] | None = None
        """How a guard becomes plain (path exploration); None: never."""
        self._guards: dict[int, SymBool] = {}
        self._quotients: dict[tuple[int, int, int], tuple[Any, Any]] = {}
        self._fresh = 0
        self._kept: list[Any] = []
        self._facts: set[SymBool] = set()
        self._above: dict[int, list[tuple[int, bool]]] = {}
        """Known order of terms: term id to (id of one not below it, whether strictly above)."""

    # Variables

    def integer(self, name: str, low: int, high: int, unit: int = 1) -> Any:
        """A variable, a multiple of `unit`, in ``[low, high]`` (both multiples of it)."""
        if low == high:
            return low
        if low > high:
            raise ValueError(f"{name}: no value in [{low}, {high}]")
        term = self._variable(name)
        made = SymInt(self, term, unit, low, high)
        self.side += [
            term >= self.number(low // unit),
            term <= self.number(high // unit),
        ]
        self.variables[name] = made
        return made

    def address(self, name: str, low: int, high: int, grain: int = PAGE) -> Any:
        """An address in ``[low, high]``, in bytes, on multiples of `grain` (which divides 1 GiB).

        Raises ValueError where no such multiple lies there.
        """
        low, high = -(-low // grain) * grain, high // grain * grain
        if self.encoding != "pair" or low // GIB == high // GIB:
            return self.integer(name, low, high, grain)
        whole = self.integer(f"{name}.gib", low // GIB, high // GIB)
        above = self.integer(f"{name}.page", 0, GIB // PAGE - grain // PAGE, grain // PAGE)
        made = SymInt(
            self,
            self.plus(self.times(whole.term, GIB // PAGE), above._in_unit(1)),
            PAGE,
            low,
            high,
            (whole, above),
        )
        # Against the term: a comparison of `made` itself is decided by the bounds it claims.
        self.side += [
            made.term >= self.number(low // PAGE),
            made.term <= self.number(high // PAGE),
        ]
        self.variables[name] = made
        return made

    def fresh_address(self, name: str, low: int, high: int) -> Any:
        """An address under a name of its own."""
        self._fresh += 1
        return self.address(f"{name}!{self._fresh}", low, high)

    def fresh_boolean(self, name: str) -> SymBool:
        """A free truth value under a name of its own."""
        self._fresh += 1
        return self.boolean(f"{name}!{self._fresh}")

    def boolean(self, name: str) -> SymBool:
        """A free truth value."""
        made = self._guard(self._z3.Bool(name, self.context))
        self.variables[name] = made
        return made

    def assume(self, guard: Guard) -> None:
        """Add a constraint to every later query."""
        if guard is not True:
            self.side.append(self._holds(guard))
        if isinstance(guard, SymBool):
            self._facts |= guard.atoms

    def assume_less(self, a: Any, b: Any, strictly: bool = True) -> None:
        """Assume ``a < b`` (or ``<=``); chains of these decide later comparisons by themselves."""
        self.assume(a < b if strictly else a <= b)
        if isinstance(a, SymInt) and isinstance(b, SymInt) and a.unit == b.unit:
            self._kept += [a.term, b.term]
            self._above.setdefault(a.term.get_id(), []).append((b.term.get_id(), strictly))

    def known_order(self, a: Any, b: Any) -> str | None:
        """``<`` or ``<=`` where a chain of assumptions says so."""
        if isinstance(a, int) or isinstance(b, int):
            return None
        if a.unit != b.unit or isinstance(a, SymCount) or isinstance(b, SymCount):
            return None
        start, goal = a.term.get_id(), b.term.get_id()
        if start not in self._above:
            return None
        best: dict[int, bool] = {start: False}
        waiting = [start]
        while waiting:
            at = waiting.pop()
            for above, strictly in self._above.get(at, ()):
                strict = strictly or best[at]
                if above not in best or (strict and not best[above]):
                    best[above] = strict
                    waiting.append(above)
        if goal not in best:
            return None
        return "<" if best[goal] else "<="

    def _holds(self, guard: Guard) -> Any:
        return self._z3.BoolVal(guard, self.context) if isinstance(guard, bool) else guard.term

    def _variable(self, name: str) -> Any:
        if self.encoding == "bv":
            return self._z3.BitVec(name, _BV_WIDTH, self.context)
        return self._z3.Int(name, self.context)

    # Terms

    def number(self, value: int) -> Any:
        """A constant of the encoding's sort."""
        if self.encoding == "bv":
            return self._z3.BitVecVal(value, _BV_WIDTH, self.context)
        return self._z3.IntVal(value, self.context)

    def plus(self, a: Any, b: Any) -> Any:
        return a + b

    def minus(self, a: Any, b: Any) -> Any:
        return a - b

    def times(self, term: Any, factor: int) -> Any:
        if factor == 1:
            return term
        return term * self.number(factor)

    def sum_of(self, base: int, parts: Sequence[tuple[SymBool, int]]) -> Any:
        """The term of a counter."""
        zero = self.number(0)
        terms = [self._z3.If(guard.term, self.number(weight), zero) for guard, weight in parts]
        total = self.number(base)
        for term in terms:
            total = total + term
        return total

    def settle(self, value: SymInt) -> Any:
        """A plain int when the bounds leave one value only."""
        return value.low if value.low == value.high else value

    # Truth values

    def _guard(self, term: Any) -> Any:
        key = term.get_id()
        found = self._guards.get(key)
        if found is None:
            found = self._guards[key] = SymBool(self, term)
        if self._facts:
            if found in self._facts:
                return True
            if found.known_not is not None and found.known_not in self._facts:
                return False
        return found

    def conjunction(self, a: Guard, b: Guard) -> Guard:
        """``a and b``, remembered as `a` narrowed by `b`."""
        if a is False or b is False:
            return False
        if a is True or a is b:
            return b
        if b is True:
            return a
        if b.known_not is a or a.known_not is b:
            return False
        at: SymBool | None = a
        for _ in range(8):
            if at is None:
                break
            if at is b or at.atom is b:
                return a
            if b.known_not is not None and at.atom is b.known_not:
                return False
            at = at.parent
        made = self._guard(conjunction(a.term, b.term))
        if isinstance(made, SymBool) and made.parent is None:
            made.parent, made.atom = a, b
        return made

    def negation(self, a: Guard) -> Guard:
        """``not a``."""
        if isinstance(a, bool):
            return not a
        if a.known_not is None:
            if a in self._facts:
                return False
            made = self._guard(negation(a.term))
            if not isinstance(made, SymBool):
                return made
            a.known_not, made.known_not = made, a
        return a.known_not

    def disjunction(self, guards: Iterable[Guard]) -> Guard:
        """Whether any of `guards` holds."""
        kept: list[SymBool] = []
        for guard in guards:
            if guard is True:
                return True
            if guard is not False and guard not in kept:
                kept.append(guard)
        if not kept:
            return False
        if len(kept) == 1:
            return kept[0]
        return self._guard(disjunction([g.term for g in kept]))

    def narrowing(self, inner: Guard, outer: Guard) -> Guard:
        """What `inner` adds to `outer`, given that it was made by narrowing it; else `inner`."""
        if inner is outer:
            return True
        if outer is True or isinstance(inner, bool):
            return inner
        atoms: list[SymBool] = []
        at: SymBool | None = inner
        while at is not None and at is not outer:
            if at.atom is None or at.parent is None:
                return inner
            atoms.append(at.atom)
            at = at.parent
        made: Guard = True
        for atom in reversed(atoms):
            made = self.conjunction(made, atom)
        return made

    def disjoint(self, a: Guard, b: Guard) -> bool:
        """Whether `a` and `b` are seen, from how they were made, never to hold together."""
        if a is False or b is False:
            return True
        if a is True or b is True:
            return False
        return _refutes(a.atoms, b.atoms) or _refutes(b.atoms, a.atoms)

    def implies(self, a: Guard, b: Guard) -> bool:
        """Whether `a` is seen, from how it was made, to imply `b`."""
        if b is True or a is False:
            return True
        if a is True or b is False:
            return False
        return bool(b.atoms <= a.atoms)

    # Comparison

    def compare(self, op: str, a: Any, b: Any) -> Guard:
        """``a op b`` for op among ``<``, ``<=``, ``==``."""
        if isinstance(a, int) and isinstance(b, int):
            return {"<": a < b, "<=": a <= b, "==": a == b}[op]
        if isinstance(a, float) or isinstance(b, float):
            # Python code compares with infinity; anything else symbolic is an integer.
            left, right = (x if isinstance(x, float) else 0 for x in (a, b))
            if not all(isinf(x) for x in (a, b) if isinstance(x, float)):
                raise TypeError("comparison of a symbolic integer with a float")
            return {"<": left < right, "<=": left <= right, "==": left == right}[op]
        if not isinstance(a, int | SymInt) or not isinstance(b, int | SymInt):
            return False if op == "==" else NotImplemented
        if a is b:
            return op != "<"
        low_a, high_a = (a, a) if isinstance(a, int) else (a.low, a.high)
        low_b, high_b = (b, b) if isinstance(b, int) else (b.low, b.high)
        if op == "<":
            if high_a < low_b:
                return True
            if low_a >= high_b:
                return False
        elif op == "<=":
            if high_a <= low_b:
                return True
            if low_a > high_b:
                return False
        elif high_a < low_b or high_b < low_a:
            return False
        if isinstance(a, SymInt) and isinstance(b, SymInt):
            known = self.known_order(a, b)
            if known == "<" or (known == "<=" and op == "<="):
                return op != "=="
            known = self.known_order(b, a)
            if known == "<" or (known == "<=" and op == "<"):
                return False
        if op != "==":
            if isinstance(a, SymInt) and a.extreme is not None:
                largest, *parts = a.extreme
                each = [self.compare(op, part, b) for part in parts]
                return self.conjunction(*each) if largest else self.disjunction(each)
            if isinstance(b, SymInt) and b.extreme is not None:
                largest, *parts = b.extreme
                each = [self.compare(op, a, part) for part in parts]
                return self.disjunction(each) if largest else self.conjunction(*each)
        if isinstance(a, SymCount) and isinstance(b, SymCount):
            return self._compare_count(op, a - b, 0)
        if isinstance(a, SymCount) and isinstance(b, int):
            return self._compare_count(op, a, b)
        if isinstance(b, SymCount) and isinstance(a, int):
            if op == "==":
                return self._compare_count(op, b, a)
            flipped = self._compare_count("<=" if op == "<" else "<", b, a)
            return self.negation(flipped)
        if op == "<=":
            # One term for each order, so that what is assumed is recognised.
            return self.negation(self.compare("<", b, a))
        if (
            self.encoding == "pair"
            and isinstance(a, SymInt)
            and isinstance(b, SymInt)
            and a.pair
            and b.pair
        ):
            return self._compare_pairs(op, a.pair, b.pair)
        return self._guard(self._compare_terms(op, a, b))

    def _compare_terms(self, op: str, a: Any, b: Any) -> Any:
        if isinstance(b, int):
            unit = a.unit
            if op == "==":
                if b % unit:
                    return self._z3.BoolVal(False, self.context)
                return a.term == self.number(b // unit)
            limit = -(-b // unit) - 1 if op == "<" else b // unit
            return a.term <= self.number(limit)
        if isinstance(a, int):
            unit = b.unit
            if op == "==":
                return self._compare_terms(op, b, a)
            limit = a // unit + 1 if op == "<" else -(-a // unit)
            return b.term >= self.number(limit)
        unit = gcd(a.unit, b.unit)
        left, right = a._in_unit(unit), b._in_unit(unit)
        if op == "<":
            return left < right
        if op == "<=":
            return left <= right
        return left == right

    def _compare_pairs(self, op: str, a: tuple[Any, Any], b: tuple[Any, Any]) -> Guard:
        same = a[0] == b[0]
        if op == "==":
            return self.conjunction(same, a[1] == b[1])
        last = a[1] < b[1] if op == "<" else a[1] <= b[1]
        return self.disjunction([a[0] < b[0], self.conjunction(same, last)])

    def _compare_count(self, op: str, a: SymCount, b: int) -> Guard:
        # Negative weights: w*g = w + |w|*(not g).
        limit = b - a.base
        low = a.low - a.base
        high = a.high - a.base
        if op == "<":
            limit -= 1
        if op != "==":
            if limit < low:
                return False
            if limit >= high:
                return True
        elif not low <= limit <= high:
            return False
        parts: list[tuple[Any, int]] = []
        for guard, weight in a.parts:
            if weight < 0:
                parts.append((negation(guard.term), -weight))
                limit -= weight
            elif weight > 0:
                parts.append((guard.term, weight))
        if op == "==":
            return self._guard(self._z3.PbEq(parts, limit))
        return self._guard(self._z3.PbLe(parts, limit))

    # Choice

    def choose(self, guard: Guard, a: Any, b: Any) -> Any:
        """`a` where `guard` holds, else `b`; integers."""
        if guard is True or a is b:
            return a
        if guard is False:
            return b
        if isinstance(a, int) and isinstance(b, int) and a == b:
            return a
        low = min(_low(a), _low(b))
        high = max(_high(a), _high(b))
        unit = gcd(_unit(a), _unit(b)) or 1
        term = self._z3.If(guard.term, self._scaled(a, unit), self._scaled(b, unit))
        made = SymInt(self, term, unit, low, high)
        if self.encoding == "pair":
            pair_a, pair_b = self._pair_of(a), self._pair_of(b)
            if pair_a is not None and pair_b is not None:
                made.pair = (
                    self.choose(guard, pair_a[0], pair_b[0]),
                    self.choose(guard, pair_a[1], pair_b[1]),
                )
        return made

    def extreme_of(self, largest: bool, a: Any, b: Any) -> Any:
        """The larger of two integers, or the smaller; at least one is symbolic.

        It is compared part by part, so that what the bounds of the parts decide is decided.
        """
        if a is b:
            return a
        below = self.compare("<", a, b)
        made = self.choose(below, b, a) if largest else self.choose(below, a, b)
        if isinstance(made, SymInt) and made is not a and made is not b:
            pick = max if largest else min
            made.low, made.high = pick(_low(a), _low(b)), pick(_high(a), _high(b))
            made.extreme = (largest, a, b)
        return made

    def choose_guard(self, guard: Guard, a: Guard, b: Guard) -> Guard:
        """`a` where `guard` holds, else `b`; truth values."""
        if guard is True or a is b:
            return a
        if guard is False:
            return b
        if isinstance(a, bool) and isinstance(b, bool):
            return guard if a else self.negation(guard)
        if isinstance(a, bool):
            return self.disjunction([guard, b]) if a else self.conjunction(self.negation(guard), b)
        if isinstance(b, bool):
            return self.disjunction([self.negation(guard), a]) if b else self.conjunction(guard, a)
        return self._guard(self._z3.If(guard.term, a.term, b.term))

    def counter(self, value: Any, guard: Guard, step: int) -> Any:
        """`value` plus `step` where `guard` holds; `value` is an int or another counter."""
        if guard is True:
            return value + step
        if guard is False or step == 0:
            return value
        if isinstance(value, SymCount):
            return SymCount(self, value.base, (*value.parts, (guard, step)))
        return SymCount(self, value, ((guard, step),))

    def _scaled(self, value: Any, unit: int) -> Any:
        if isinstance(value, int):
            return self.number(value // unit)
        return value._in_unit(unit)

    def _pair_of(self, value: Any) -> tuple[Any, Any] | None:
        if isinstance(value, int):
            if value % PAGE == 0:
                return (value // GIB, value % GIB // PAGE)
            return None
        if value.pair is not None:
            found: tuple[Any, Any] = value.pair
            return found
        return (value // GIB, 0) if value.unit % GIB == 0 else None

    # Division and rounding

    def quotient(self, value: SymInt, divisor: int) -> tuple[Any, Any]:
        """``(value // divisor, value % divisor)``, by a definition with exactly one solution."""
        common = gcd(value.unit, divisor)
        key = (value.term.get_id(), value.unit, divisor)
        if key in self._quotients:
            return self._quotients[key]
        self._kept.append(value.term)
        scaled, by = value._in_unit(common), divisor // common
        if self.encoding == "bv":
            lift = max(0, -(value.low // divisor))
            moved = scaled + self.number(lift * by)
            if by & (by - 1) == 0:
                quotient_term = self._z3.LShR(moved, self.number(by.bit_length() - 1))
            else:
                quotient_term = self._z3.UDiv(moved, self.number(by))
            quotient = SymInt(
                self,
                quotient_term - self.number(lift),
                1,
                value.low // divisor,
                value.high // divisor,
            )
            rest = SymInt(
                self, scaled - quotient.term * self.number(by), common, 0, divisor - common
            )
        else:
            self._fresh += 1
            low, high = value.low // divisor, value.high // divisor
            quotient = self.integer(f"quotient!{self._fresh}", low, high)
            quotient_term = quotient.term if isinstance(quotient, SymInt) else self.number(low)
            rest = SymInt(
                self, scaled - quotient_term * self.number(by), common, 0, divisor - common
            )
            self.side += [rest.term >= 0, rest.term < by]
        self._quotients[key] = (quotient, rest)
        return quotient, rest

    def align_down(self, value: SymInt, alignment: int) -> Any:
        """The largest multiple of `alignment` that is not above `value`."""
        return (value // alignment) * alignment

    def align_up(self, value: SymInt, alignment: int) -> Any:
        """The smallest multiple of `alignment` that is not below `value`."""
        if value.unit % alignment == 0:
            return value
        if -(-value.low // alignment) == -(-value.high // alignment):
            return -(-value.low // alignment) * alignment
        if alignment == GIB and value.pair is not None:
            whole, rest = value.pair
        else:
            whole, rest = self.quotient(value, alignment)
        return self.choose(rest > 0, whole + 1, whole) * alignment

    def divided(self, value: Any, divisor: SymInt) -> Any:
        """Division by a symbolic divisor is not offered."""
        raise TypeError("symbolic // by a symbolic divisor: split the cases of the divisor first")

    def _bits(self, value: SymInt, mask: int) -> Any:
        """``value & mask`` for a plain mask >= 0: `value` is cut where the mask's bits change."""
        power = value.unit & -value.unit
        shift = power.bit_length() - 1
        mask >>= shift
        if mask == 0:
            return 0
        cuts = [0]
        cuts += [at for at in range(1, mask.bit_length() + 1) if (mask >> at ^ mask >> at - 1) & 1]
        term = value._in_unit(power)
        key = (term.get_id(), mask, -1)
        if key not in self._quotients:
            self._kept.append(term)
            self._fresh += 1
            total, picked, high = self.number(0), self.number(0), 0
            low_value, high_value = value.low // power, value.high // power
            for index, at in enumerate(cuts):
                width = cuts[index + 1] - at if index + 1 < len(cuts) else None
                bottom = 0 if width is not None else low_value >> at
                top = (1 << width) - 1 if width is not None else high_value >> at
                part = self.integer(f"bits!{self._fresh}.{at}", bottom, top)
                part_term = self.number(part) if isinstance(part, int) else part.term
                total = total + self.times(part_term, 1 << at)
                if mask >> at & 1:
                    picked = picked + self.times(part_term, 1 << at)
                    high += top << at
            self.side.append(total == term)
            self._quotients[key] = (SymInt(self, picked, power, 0, high * power), None)
        return self._quotients[key][0]

    def bit_and(self, a: SymInt, b: Any) -> Any:
        """``a & b``: in the ``bv`` encoding as such, in the others by a plain `b` only.

        One of the two must not be negative (or, in integers, `b` may be negative).
        """
        if self.encoding != "bv":
            if not isinstance(b, int):
                raise TypeError("& of two symbolic integers needs the bv encoding")
            return a - self._bits(a, ~b) if b < 0 else self._bits(a, b)
        low_b, high_b = _low(b), _high(b)
        # Two's complement: the result of & is not above an operand that is not negative, and a
        # power of two that divides one operand divides the result.
        tops = [x for x, bottom in ((a.high, a.low), (high_b, low_b)) if bottom >= 0]
        if not tops:
            raise TypeError("& of two integers that may be negative")
        power = a.unit & -a.unit
        if isinstance(b, SymInt):
            power = min(power, b.unit & -b.unit)
            right = b._in_unit(power)
        else:
            right = self.number(b // power)
        return SymInt(self, a._in_unit(power) & right, power, 0, min(tops))


def _low(value: Any) -> int:
    return value if isinstance(value, int) else value.low


def _high(value: Any) -> int:
    return value if isinstance(value, int) else value.high


def _unit(value: Any) -> int:
    return abs(value) if isinstance(value, int) else value.unit


def _refutes(some: frozenset[SymBool], others: frozenset[SymBool]) -> bool:
    """Whether one of `some` is the negation of a conjunction of guards that are all in `others`."""
    return any(atom.known_not is not None and atom.known_not.atoms <= others for atom in some)
