"""Expressions of the interpreted language."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pamt.verify.interp.calls import Calls
from pamt.verify.interp.domain import Guard
from pamt.verify.interp.refusal import Refusal
from pamt.verify.interp.values import MISSING, Choice, GuardedList, Value

if TYPE_CHECKING:
    from pamt.verify.interp.run import Frame

__all__ = ["Expressions"]

Environment = dict[str, Value]

_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.Pow: operator.pow,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class Lambda:
    """A lambda with the variables it was written among."""

    __slots__ = ("environment", "frame", "node")

    def __init__(self, frame: Frame, node: ast.Lambda, environment: Environment) -> None:
        self.frame = frame
        self.node = node
        self.environment = environment


class Expressions(Calls):
    """Evaluation of expressions under a guard."""

    def evaluate(
        self, frame: Frame, node: ast.expr, environment: Environment, live: Guard
    ) -> Value:
        """The value of an expression on the paths where `live` holds."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._name(frame, node, name, environment, live)
            case ast.Attribute(value=inner, attr=attr):
                owner = self.evaluate(frame, inner, environment, live)
                return self.attribute(frame, node, owner, attr, live)
            case ast.BinOp(left=left, op=op, right=right):
                a = self.evaluate(frame, left, environment, live)
                b = self.evaluate(frame, right, environment, live)
                return self.binary(frame, node, op, a, b, live)
            case ast.UnaryOp(op=unary, operand=operand):
                return self._unary(frame, node, unary, operand, environment, live)
            case ast.BoolOp():
                return self._boolean(frame, node, environment, live)
            case ast.Compare():
                return self._compare(frame, node, environment, live)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._conditional(frame, test, body, orelse, environment, live)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return self._sequence(frame, node, elements, environment, live)
            case ast.Set(elts=elements) | ast.Dict(values=elements) if not elements:
                return {} if isinstance(node, ast.Dict) else set()
            case ast.Call():
                return self.call_expression(frame, node, environment, live)
            case ast.Subscript(value=inner, slice=index):
                owner = self.evaluate(frame, inner, environment, live)
                return self._subscript(frame, node, owner, index, environment, live)
            case ast.ListComp() | ast.GeneratorExp():
                return self._comprehension(frame, node, environment, live)
            case ast.Lambda():
                return Lambda(frame, node, dict(environment))
            case ast.JoinedStr():
                return "(text)"
            case _:
                raise Refusal(
                    frame.place(node),
                    f"expression {type(node).__name__}",
                    "use integers, comparisons, tuples, lists and named tuples",
                )

    # Names and fields

    def _name(
        self, frame: Frame, node: ast.Name, name: str, environment: Environment, live: Guard
    ) -> Value:
        if name in environment:
            value = environment[name]
        elif name in frame.globals:
            return frame.globals[name]
        elif hasattr(builtins, name):
            return getattr(builtins, name)
        else:
            value = MISSING
        if value is MISSING:
            self.fault(live, f"{name} is read before it is assigned", frame.place(node))
            return MISSING
        if isinstance(value, Choice):
            value = self._narrowed(frame, node, name, value, live)
            environment[name] = value
        return value

    def _narrowed(
        self, frame: Frame, node: ast.Name, name: str, value: Choice, live: Guard
    ) -> Value:
        """The alternatives that `live` can see: after ``if x is None: return``, x is not None.

        The environment belongs to these paths, so what is narrowed here stays so for them.
        """
        seen = [(g, v) for g, v in value.alternatives if not self.domain.disjoint(live, g)]
        missing = [g for g, v in seen if v is MISSING]
        if missing:
            bad = self.domain.conjunction(live, self.domain.disjunction(missing))
            self.fault(bad, f"{name} is read before it is assigned", frame.place(node))
            seen = [(g, v) for g, v in seen if v is not MISSING]
        if not seen:
            return MISSING
        if len(seen) == len(value.alternatives):
            return value
        return self.merger.first(seen) if len(seen) == 1 else Choice(tuple(seen))

    def attribute(self, frame: Frame, node: ast.AST, owner: Value, name: str, live: Guard) -> Value:
        """``owner.name``; alternatives without it are a fault on their paths."""
        if isinstance(owner, Choice):
            arms: list[tuple[Guard, Value]] = []
            for guard, value in owner.alternatives:
                if value is None or value is MISSING:
                    bad = self.domain.conjunction(live, guard)
                    self.fault(bad, f"None has no field {name}", frame.place(node))
                else:
                    inner = self.domain.conjunction(live, guard)
                    arms.append((guard, self.attribute(frame, node, value, name, inner)))
            return self.merger.first(arms) if arms else MISSING
        if owner is None or owner is MISSING:
            self.fault(live, f"None has no field {name}", frame.place(node))
            return MISSING
        if isinstance(owner, GuardedList):
            return self.list_method(frame, node, owner, name)
        static = getattr(type(owner), name, None)
        if isinstance(static, property) and self._worth_running(owner):
            getter = static.fget
            assert getter is not None
            return self.apply(getter, (owner,), {}, live, frame.place(node))
        try:
            return getattr(owner, name)
        except AttributeError:
            self.fault(live, f"{type(owner).__name__} has no field {name}", frame.place(node))
            return MISSING

    def _worth_running(self, owner: Value) -> bool:
        return not self.native or self.merger.is_symbolic(owner)

    # Operators

    def binary(
        self, frame: Frame, node: ast.AST, op: ast.operator, a: Value, b: Value, live: Guard
    ) -> Value:
        """``a op b``."""
        if isinstance(a, Choice) or isinstance(b, Choice):
            return self.merger.spread(
                a,
                lambda x: self.merger.spread(b, lambda y: self.binary(frame, node, op, x, y, live)),
            )
        if a is MISSING or b is MISSING:
            return MISSING
        if isinstance(op, ast.Add) and (isinstance(a, GuardedList) or isinstance(b, GuardedList)):
            left, right = self.merger.as_list(a), self.merger.as_list(b)
            return GuardedList([*left.items, *right.items])
        if a is None or b is None:
            self.fault(live, f"arithmetic on None: {ast.unparse(node)}", frame.place(node))
            return MISSING
        found = _BINARY.get(type(op))
        if found is None:
            raise Refusal(
                frame.place(node),
                f"operator {type(op).__name__}",
                "use + - * // % on integers",
            )
        if isinstance(op, ast.FloorDiv | ast.Mod) and type(b) is int and b == 0:
            self.fault(live, "division by zero", frame.place(node))
            return MISSING
        a, b = self._number(a), self._number(b)
        try:
            return found(a, b)
        except TypeError as error:
            raise Refusal(
                frame.place(node),
                f"{ast.unparse(node)}: {error}",
                "multiply and divide by plain integers only",
            ) from None

    def _number(self, value: Value) -> Value:
        """A truth value used as a number is 0 or 1."""
        if isinstance(value, self.domain.guard_type):
            return self.domain.counter(0, value, 1)
        return value

    def _unary(
        self,
        frame: Frame,
        node: ast.expr,
        op: ast.unaryop,
        operand: ast.expr,
        environment: Environment,
        live: Guard,
    ) -> Value:
        value = self.evaluate(frame, operand, environment, live)
        if isinstance(op, ast.Not):
            return self.domain.negation(self.truth(value, frame, node))
        if value is MISSING:
            return MISSING
        apply: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
            ast.USub: operator.neg,
            ast.UAdd: operator.pos,
            ast.Invert: operator.invert,
        }
        return self.merger.spread(value, lambda v: apply[type(op)](self._number(v)))

    def truth(self, value: Value, frame: Frame, node: ast.AST) -> Guard:
        """Whether a value counts as true."""
        if self.merger.is_guard(value):
            return value
        if isinstance(value, Choice):
            return self.domain.disjunction(
                self.domain.conjunction(g, self.truth(v, frame, node))
                for g, v in value.alternatives
            )
        if isinstance(value, GuardedList):
            return self.domain.disjunction(g for g, _ in value)
        if isinstance(value, self.domain.integer_type):
            return value != 0
        if value is MISSING:
            return False
        return bool(value)

    def _boolean(
        self, frame: Frame, node: ast.BoolOp, environment: Environment, live: Guard
    ) -> Value:
        conjunction, negation = self.domain.conjunction, self.domain.negation
        is_and = isinstance(node.op, ast.And)
        parts: list[tuple[Guard, Value]] = []  # (truth, value) of each operand that is looked at
        here = live
        for operand in node.values:
            value = self.evaluate(frame, operand, environment, here)
            truth = self.truth(value, frame, operand)
            parts.append((truth, value))
            here = conjunction(here, truth if is_and else negation(truth))
            if here is False:
                break
        if all(self.merger.is_guard(value) for _, value in parts):
            if is_and:
                result: Guard = True
                for truth, _ in parts:
                    result = conjunction(result, truth)
                return result
            return self.domain.disjunction(truth for truth, _ in parts)
        result = parts[-1][1]
        for truth, value in reversed(parts[:-1]):
            stops = negation(truth) if is_and else truth
            if not is_and and isinstance(value, GuardedList):
                # Where an item is present, the list counts as true: no guard need be added to it.
                rest = self.merger.as_list(result)
                result = GuardedList(
                    [*value.items, *((conjunction(negation(truth), g), v) for g, v in rest)]
                )
            else:
                result = self.merger.merge(stops, value, result)
        return result

    def _compare(
        self, frame: Frame, node: ast.Compare, environment: Environment, live: Guard
    ) -> Guard:
        left = self.evaluate(frame, node.left, environment, live)
        result: Guard = True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(frame, right_node, environment, live)
            result = self.domain.conjunction(
                result, self.compare(frame, node, op, left, right, live)
            )
            if result is False:
                return False
            left = right
        return result

    def compare(
        self, frame: Frame, node: ast.AST, op: ast.cmpop, a: Value, b: Value, live: Guard
    ) -> Guard:
        """One comparison."""
        if isinstance(op, ast.NotEq | ast.IsNot | ast.NotIn):
            positive = {ast.NotEq: ast.Eq, ast.IsNot: ast.Is, ast.NotIn: ast.In}[type(op)]()
            return self.domain.negation(self.compare(frame, node, positive, a, b, live))
        if isinstance(a, Choice) or isinstance(b, Choice):
            arms_a = a.alternatives if isinstance(a, Choice) else ((True, a),)
            arms_b = b.alternatives if isinstance(b, Choice) else ((True, b),)
            both = self.domain.conjunction
            return self.domain.disjunction(
                both(
                    both(g, h),
                    self.compare(frame, node, op, x, y, both(live, both(g, h))),
                )
                for g, x in arms_a
                for h, y in arms_b
            )
        if isinstance(op, ast.Is):
            return a is b
        if isinstance(op, ast.In):
            return self.domain.disjunction(
                self.domain.conjunction(g, self.equal(item, a)) for g, item in self.pairs(b)
            )
        if isinstance(op, ast.Eq):
            return self.equal(a, b)
        if a is None or b is None or a is MISSING or b is MISSING:
            self.fault(live, f"comparison with None: {ast.unparse(node)}", frame.place(node))
            return False
        if isinstance(a, tuple) and isinstance(b, tuple) and self.merger.is_symbolic((a, b)):
            return self._tuple_order(frame, node, op, a, b, live)
        compared: Guard = _ORDER[type(op)](self._number(a), self._number(b))
        return compared

    def _tuple_order(
        self,
        frame: Frame,
        node: ast.AST,
        op: ast.cmpop,
        a: tuple[Value, ...],
        b: tuple[Value, ...],
        live: Guard,
    ) -> Guard:
        if not a or not b:
            return bool(_ORDER[type(op)](len(a), len(b)))
        strict = ast.Lt() if isinstance(op, ast.Lt | ast.LtE) else ast.Gt()
        first = self.compare(frame, node, strict, a[0], b[0], live)
        rest = self._tuple_order(frame, node, op, a[1:], b[1:], live)
        same = self.domain.conjunction(self.equal(a[0], b[0]), rest)
        return self.domain.disjunction([first, same])

    def equal(self, a: Value, b: Value) -> Guard:
        """``a == b``, field by field."""
        if isinstance(a, tuple) and isinstance(b, tuple):
            if len(a) != len(b):
                return False
            result: Guard = True
            for x, y in zip(a, b, strict=True):
                result = self.domain.conjunction(result, self.equal(x, y))
            return result
        if isinstance(a, Choice) or isinstance(b, Choice):
            arms_a = a.alternatives if isinstance(a, Choice) else ((True, a),)
            arms_b = b.alternatives if isinstance(b, Choice) else ((True, b),)
            both = self.domain.conjunction
            return self.domain.disjunction(
                both(both(g, h), self.equal(x, y)) for g, x in arms_a for h, y in arms_b
            )
        if isinstance(a, self.domain.guard_type) or isinstance(b, self.domain.guard_type):
            if self.merger.is_guard(a) and self.merger.is_guard(b):
                return self.domain.choose_guard(a, b, self.domain.negation(b))
            a, b = self._number(a), self._number(b)
        if isinstance(a, GuardedList) and isinstance(b, GuardedList):
            if a.is_plain and b.is_plain:
                return self.equal(tuple(a.plain()), tuple(b.plain()))
            raise TypeError("== of two lists whose lengths depend on the map")
        compared: Guard = a == b
        return compared

    def _conditional(
        self,
        frame: Frame,
        test: ast.expr,
        body: ast.expr,
        orelse: ast.expr,
        environment: Environment,
        live: Guard,
    ) -> Value:
        guard = self.truth(self.evaluate(frame, test, environment, live), frame, test)
        if guard is True:
            return self.evaluate(frame, body, environment, live)
        if guard is False:
            return self.evaluate(frame, orelse, environment, live)
        both = self.domain.conjunction
        a = self.evaluate(frame, body, environment, both(live, guard))
        b = self.evaluate(frame, orelse, environment, both(live, self.domain.negation(guard)))
        return self.merger.merge(guard, a, b)

    # Sequences

    def _sequence(
        self,
        frame: Frame,
        node: ast.expr,
        elements: Sequence[ast.expr],
        environment: Environment,
        live: Guard,
    ) -> Value:
        items: list[tuple[Guard, Value]] = []
        for element in elements:
            if isinstance(element, ast.Starred):
                items += self.items(frame, element.value, environment, live)
            else:
                items.append((True, self.evaluate(frame, element, environment, live)))
        if isinstance(node, ast.Tuple) and all(guard is True for guard, _ in items):
            return tuple(value for _, value in items)
        return GuardedList(items)

    def items(
        self, frame: Frame, node: ast.expr, environment: Environment, live: Guard
    ) -> list[tuple[Guard, Value]]:
        """What iterating over an expression gives: (present, value) pairs."""
        value = self.evaluate(frame, node, environment, live)
        try:
            return self.relevant(self.pairs(value), live)
        except TypeError as error:
            raise Refusal(
                frame.place(node), str(error), "iterate over lists, tuples, range() or enumerate()"
            ) from None

    def relevant(self, items: list[tuple[Guard, Value]], live: Guard) -> list[tuple[Guard, Value]]:
        """The items as seen from the paths of `live`: without those that are never there.

        Seen from outside of these paths the answer is wrong; use it for what happens under `live`.
        """
        if live is True:
            return items
        kept: list[tuple[Guard, Value]] = []
        for guard, value in items:
            if guard is True or self.domain.implies(live, guard):
                kept.append((True, value))
            elif not self.domain.disjoint(live, guard):
                kept.append((guard, value))
        return kept

    def pairs(self, value: Value) -> list[tuple[Guard, Value]]:
        """The items of a sequence with their guards.  Raises TypeError for anything else."""
        if isinstance(value, GuardedList):
            return list(value.items)
        if isinstance(value, Choice):
            return [
                (self.domain.conjunction(g, h), v)
                for g, inner in value.alternatives
                if inner is not None
                for h, v in self.pairs(inner)
            ]
        if value is MISSING:
            return []
        if isinstance(value, self.domain.integer_type):
            raise TypeError("an integer is not a sequence")
        return [(True, item) for item in value]

    def _subscript(
        self,
        frame: Frame,
        node: ast.Subscript,
        owner: Value,
        index: ast.expr,
        environment: Environment,
        live: Guard,
    ) -> Value:
        if isinstance(index, ast.Slice):
            bounds = [
                None if part is None else self.evaluate(frame, part, environment, live)
                for part in (index.lower, index.upper, index.step)
            ]
            return self._slice(frame, node, owner, bounds, live)
        position = self.evaluate(frame, index, environment, live)
        return self.item_at(frame, node, owner, position, live)

    def _slice(
        self,
        frame: Frame,
        node: ast.Subscript,
        owner: Value,
        bounds: list[Value],
        live: Guard,
    ) -> Value:
        plain_bounds = all(b is None or type(b) is int for b in bounds)
        if plain_bounds and not isinstance(owner, GuardedList | Choice):
            return owner[slice(*bounds)]
        items = self.relevant(self.pairs(owner), live)
        if plain_bounds and (
            all(guard is True for guard, _ in items) or bounds in ([None] * 3, [0, None, None])
        ):
            return GuardedList(items[slice(*bounds)])
        low, high, stride = bounds
        negative = any(type(b) is int and b < 0 for b in (low, high))
        if stride is not None or negative:
            raise Refusal(
                frame.place(node),
                "slice from the end, or with a stride, of a list of unknown length",
                "use an if inside the loop",
            )
        kept: list[tuple[Guard, Value]] = []
        before: Value = 0
        both = self.domain.conjunction
        for guard, value in items:
            inside: Guard = True if low is None else before >= low
            if high is not None:
                inside = both(inside, before < high)
            kept.append((both(guard, inside), value))
            before = self.domain.counter(before, guard, 1)
        return GuardedList(kept)

    def item_at(
        self, frame: Frame, node: ast.AST, owner: Value, position: Value, live: Guard
    ) -> Value:
        """``owner[position]``; a plain position, or 0 or -1 of a list with absent items."""
        if isinstance(owner, Choice):
            return self.merger.spread(owner, lambda v: self.item_at(frame, node, v, position, live))
        if isinstance(owner, dict):
            if position not in owner:
                self.fault(live, "no such key", frame.place(node))
                return MISSING
            return owner[position]
        items = self.relevant(self.pairs(owner), live)
        if isinstance(position, self.domain.integer_type):
            return self._item_at_symbolic(frame, node, items, position, live)
        plain = all(guard is True for guard, _ in items)
        if plain:
            if not -len(items) <= position < len(items):
                self.fault(live, "index outside of the list", frame.place(node))
                return MISSING
            return items[position][1]
        if position not in (0, -1):
            return self._item_at_symbolic(frame, node, items, position, live)
        empty = self.domain.negation(self.domain.disjunction(g for g, _ in items))
        self.fault(
            self.domain.conjunction(live, empty), "index outside of the list", frame.place(node)
        )
        return self.merger.first(items if position == 0 else items[::-1])

    def _item_at_symbolic(
        self,
        frame: Frame,
        node: ast.AST,
        items: list[tuple[Guard, Value]],
        position: Value,
        live: Guard,
    ) -> Value:
        """The item with as many present ones before it as `position` says (not negative)."""
        arms: list[tuple[Guard, Value]] = []
        before: Value = 0
        for guard, value in items:
            here = self.domain.conjunction(guard, self.equal(before, position))
            if here is not False:
                arms.append((here, value))
            before = self.domain.counter(before, guard, 1)
        found = self.domain.disjunction(g for g, _ in arms)
        self.fault(
            self.domain.conjunction(live, self.domain.negation(found)),
            "index outside of the list",
            frame.place(node),
        )
        return self.merger.first(arms) if arms else MISSING

    def _comprehension(
        self,
        frame: Frame,
        node: ast.ListComp | ast.GeneratorExp,
        environment: Environment,
        live: Guard,
    ) -> GuardedList:
        made: list[tuple[Guard, Value]] = []
        self._generate(frame, node, 0, dict(environment), live, True, made)
        return GuardedList(made)

    def _generate(
        self,
        frame: Frame,
        node: ast.ListComp | ast.GeneratorExp,
        depth: int,
        environment: Environment,
        live: Guard,
        present: Guard,
        made: list[tuple[Guard, Value]],
    ) -> None:
        both = self.domain.conjunction
        if depth == len(node.generators):
            made.append((present, self.evaluate(frame, node.elt, environment, both(live, present))))
            return
        generator = node.generators[depth]
        for guard, value in self.items(frame, generator.iter, environment, both(live, present)):
            inside = both(present, guard)
            self.assign(frame, generator.target, value, environment, both(live, inside))
            for test in generator.ifs:
                if inside is False:
                    break
                tested = self.evaluate(frame, test, environment, both(live, inside))
                inside = both(inside, self.truth(tested, frame, test))
            if inside is not False:
                self._generate(frame, node, depth + 1, environment, live, inside, made)

    # Assignment

    def assign(
        self, frame: Frame, target: ast.expr, value: Value, environment: Environment, live: Guard
    ) -> None:
        """Bind `target`."""
        if isinstance(target, ast.Name):
            environment[target.id] = value
        elif isinstance(target, ast.Tuple):
            if isinstance(value, Choice):
                self._assign_choice(frame, target, value, environment, live)
                return
            if value is MISSING:
                parts: list[Value] = [MISSING] * len(target.elts)
            else:
                parts = [v for _, v in self.pairs(value)]
            if len(parts) != len(target.elts):
                raise Refusal(
                    frame.place(target), "unpacking of another length", "match the tuple's length"
                )
            for inner, part in zip(target.elts, parts, strict=True):
                self.assign(frame, inner, part, environment, live)
        elif isinstance(target, ast.Subscript):
            self._assign_item(frame, target, value, environment, live)
        else:
            raise Refusal(
                frame.place(target),
                "assignment to a field",
                "keep the state in variables, and make a new named tuple with _replace",
            )

    def _assign_choice(
        self,
        frame: Frame,
        target: ast.Tuple,
        value: Choice,
        environment: Environment,
        live: Guard,
    ) -> None:
        for at, inner in enumerate(target.elts):
            arms = [(g, v[at]) for g, v in value.alternatives if isinstance(v, tuple)]
            self.assign(frame, inner, self.merger.first(arms), environment, live)

    def _assign_item(
        self,
        frame: Frame,
        target: ast.Subscript,
        value: Value,
        environment: Environment,
        live: Guard,
    ) -> None:
        owner = self.evaluate(frame, target.value, environment, live)
        position = self.evaluate(frame, target.slice, environment, live)
        if not isinstance(owner, GuardedList):
            raise Refusal(frame.place(target), "assignment to an item of a non-list", "use a list")
        if owner.frozen:
            raise Refusal(frame.place(target), "assignment to a merged list", "fill it before")
        before: Value = 0
        inside: list[Guard] = []
        count = len(owner.items)
        if type(position) is int and position < 0:
            if not owner.is_plain:
                raise Refusal(
                    frame.place(target), "negative index of a list of unknown length", "count up"
                )
            position += count
        for at, (guard, old) in enumerate(owner.items):
            if self.domain.disjoint(live, guard):
                continue
            seen = True if self.domain.implies(live, guard) else guard
            here = self.domain.conjunction(seen, self.equal(before, position))
            inside.append(here)
            wanted = self.domain.conjunction(live, here)
            if wanted is not False:
                owner.items[at] = (guard, self.merger.merge(wanted, value, old))
            before = self.domain.counter(before, seen, 1)
        outside = self.domain.negation(self.domain.disjunction(inside))
        self.fault(
            self.domain.conjunction(live, outside), "index outside of the list", frame.place(target)
        )
