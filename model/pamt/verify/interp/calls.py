"""Calls: builtins on guarded values, constructors, methods, other functions."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from pamt.ranges import align_down, align_up, is_aligned
from pamt.verify.interp.domain import Domain, Guard
from pamt.verify.interp.merge import Merger
from pamt.verify.interp.refusal import Place, Refusal, ended_by
from pamt.verify.interp.values import MISSING, Choice, GuardedList, Value

if TYPE_CHECKING:
    from pamt.verify.interp.expressions import Lambda
    from pamt.verify.interp.run import Fault, Frame, Return

__all__ = ["Calls", "ListMethod"]

Environment = dict[str, Value]


class ListMethod:
    """``append`` or another method of a list, looked up but not yet called."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: GuardedList, name: str) -> None:
        self.owner = owner
        self.name = name


class Calls:
    """How calls are carried out; the rest of the interpreter is in the subclasses."""

    domain: Domain
    merger: Merger
    primitives: dict[Value, Callable[..., Value]]
    native: bool
    faults: list[Fault]

    if TYPE_CHECKING:

        def evaluate(
            self, frame: Frame, node: ast.expr, environment: Environment, live: Guard
        ) -> Value: ...
        def truth(self, value: Value, frame: Frame, node: ast.AST) -> Guard: ...
        def fault(self, guard: Guard, what: str, place: Place) -> None: ...
        def pairs(self, value: Value) -> list[tuple[Guard, Value]]: ...
        def relevant(
            self, items: list[tuple[Guard, Value]], live: Guard
        ) -> list[tuple[Guard, Value]]: ...
        def run_function(
            self,
            function: FunctionType,
            args: Sequence[Value],
            keywords: Mapping[str, Value],
            live: Guard,
            at: Place,
            returns: list[Return] | None = None,
        ) -> Value: ...

    def call_expression(
        self,
        frame: Frame,
        node: ast.Call,
        environment: Environment,
        live: Guard,
        returns: list[Return] | None = None,
    ) -> Value:
        """Carry out a call; `returns` collects each return of the callee with its guard."""
        function = self.evaluate(frame, node.func, environment, live)
        args: list[Value] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                spread = self.pairs(self.evaluate(frame, arg.value, environment, live))
                if not all(guard is True for guard, _ in spread):
                    raise Refusal(
                        frame.place(node), "*list of a length that depends on the map", "name them"
                    )
                args += [value for _, value in spread]
            else:
                args.append(self.evaluate(frame, arg, environment, live))
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise Refusal(frame.place(node), "**keywords in a call", "name the arguments")
            keywords[keyword.arg] = self.evaluate(frame, keyword.value, environment, live)
        if isinstance(function, ListMethod):
            return self._list_call(frame, node, function, args, live)
        if isinstance(function, Choice):
            return self.merger.first(
                [
                    (
                        g,
                        self.apply(
                            f, args, keywords, self.domain.conjunction(live, g), frame.place(node)
                        ),
                    )
                    for g, f in function.alternatives
                ]
            )
        return self.apply(function, args, keywords, live, frame.place(node), returns)

    def apply(
        self,
        function: Value,
        args: Sequence[Value],
        keywords: Mapping[str, Value],
        live: Guard,
        at: Place,
        returns: list[Return] | None = None,
    ) -> Value:
        """Call anything callable."""
        from pamt.verify.interp.expressions import Lambda

        if function is MISSING:
            return MISSING
        if isinstance(function, Lambda):
            return self._lambda(function, args)
        if isinstance(function, MethodType):
            owner = function.__self__
            allowed = getattr(type(owner), "symbolic_methods", ())
            if function.__name__ in allowed:
                return self._asked(function, args, keywords, live, at)
            args, function = (owner, *args), function.__func__
        try:
            primitive = self.primitives.get(function)
        except TypeError:
            primitive = None
        if primitive is not None:
            return primitive(self, live, *args, **keywords)
        builtin = _BUILTINS.get(function) if _hashable(function) else None
        if builtin is not None:
            return builtin(self, at, live, *args, **keywords)
        if isinstance(function, type):
            return self._construct(function, args, keywords, at)
        if isinstance(function, FunctionType):
            symbolic = self.merger.is_symbolic((tuple(args), tuple(keywords.values())))
            if self.native and not symbolic and not _changes_its_arguments(args):
                try:
                    return function(*args, **keywords)
                except Exception as error:  # noqa: BLE001 - what it raises is what these paths raise
                    self.fault(live, f"raises {error!r}", at)
                    return MISSING
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    raise ended_by(error, at) from error
            if function.__name__ in ("_replace", "_asdict", "_make"):
                return function(*args, **keywords)
            return self.run_function(function, args, keywords, live, at, returns)
        call = type(function).__dict__.get("__call__")
        if isinstance(call, FunctionType):
            return self.apply(call, (function, *args), keywords, live, at, returns)
        builtin_kind = isinstance(function, BuiltinFunctionType) or inspect.isroutine(function)
        if builtin_kind and not self.merger.is_symbolic((tuple(args), tuple(keywords.values()))):
            try:
                return function(*args, **keywords)
            except SystemExit as error:
                raise ended_by(error, at) from error
        raise Refusal(
            at,
            f"call of {getattr(function, '__qualname__', function)!r} on values of a symbolic run",
            "call functions written in plain Python, or register a primitive",
        )

    def _asked(
        self,
        function: MethodType,
        args: Sequence[Value],
        keywords: Mapping[str, Value],
        live: Guard,
        at: Place,
    ) -> Value:
        """Call a symbolic method.  What is wrong with that is wrong where it is called."""
        try:
            inspect.signature(function).bind(self, live, *args, **keywords)
        except TypeError as error:
            raise Refusal(
                at, f"{function.__name__}(): {error}", f"call {function.__name__} as declared"
            ) from None
        known = len(self.faults)
        try:
            value = function(self, live, *args, **keywords)
        except Refusal as refusal:
            if refusal.place.line:
                raise
            raise Refusal(at, refusal.what, refusal.instead) from None
        self.faults[known:] = [
            fault if fault.place.line else fault._replace(place=at) for fault in self.faults[known:]
        ]
        return value

    def _lambda(self, function: Lambda, args: Sequence[Value]) -> Value:
        environment = dict(function.environment)
        for name, value in zip(function.node.args.args, args, strict=True):
            environment[name.arg] = value
        return self.evaluate(function.frame, function.node.body, environment, True)

    def _construct(
        self, kind: type, args: Sequence[Value], keywords: Mapping[str, Value], at: Place
    ) -> Value:
        record = hasattr(kind, "_fields") or dataclasses.is_dataclass(kind)
        plain = not self.merger.is_symbolic((tuple(args), tuple(keywords.values())))
        if record or plain:
            return kind(*args, **keywords)
        raise Refusal(
            at,
            f"{kind.__name__} made from values of a symbolic run",
            "use lists, tuples and named tuples",
        )

    # Lists

    def list_method(self, frame: Frame, node: ast.AST, owner: GuardedList, name: str) -> ListMethod:
        """A method of a list."""
        if name not in ("append", "extend", "copy", "index"):
            raise Refusal(
                frame.place(node), f"list.{name}", "use append, extend, + and comprehensions"
            )
        return ListMethod(owner, name)

    def _list_call(
        self, frame: Frame, node: ast.Call, method: ListMethod, args: list[Value], live: Guard
    ) -> Value:
        owner = method.owner
        if method.name == "copy":
            return GuardedList(owner.items)
        if method.name == "index":
            if owner.is_plain and not self.merger.is_symbolic((tuple(owner.plain()), args[0])):
                return owner.plain().index(args[0])
            raise Refusal(frame.place(node), "index() of a symbolic value", "count in a for loop")
        if method.name == "extend":
            self.extend(frame, node, owner, args[0], live)
            return None
        if owner.frozen:
            raise Refusal(
                frame.place(node), "append to a list that was merged with another", "append before"
            )
        owner.items.append((live, args[0]))
        return None

    def extend(
        self, frame: Frame, node: ast.AST, owner: GuardedList, more: Value, live: Guard
    ) -> None:
        """``owner += more``."""
        if owner.frozen:
            raise Refusal(
                frame.place(node), "append to a list that was merged with another", "append before"
            )
        for guard, value in self.pairs(more):
            present = self.domain.conjunction(live, guard)
            if present is not False:
                owner.items.append((present, value))

    # Builtins

    def seen(self, live: Guard, value: Value) -> list[tuple[Guard, Value]]:
        """The items of a sequence as the paths of `live` see them."""
        return self.relevant(self.pairs(value), live)

    def length(self, at: Place, live: Guard, value: Value) -> Value:
        if isinstance(value, GuardedList | Choice):
            total: Value = 0
            for guard, _ in self.seen(live, value):
                total = self.domain.counter(total, guard, 1)
            return total
        return len(value)

    def extreme(self, at: Place, live: Guard, largest: bool, args: Sequence[Value]) -> Value:
        pairs = self.seen(live, args[0]) if len(args) == 1 else [(True, value) for value in args]
        best: Value = MISSING
        known: Guard = False
        for guard, value in pairs:
            if known is False:
                best, known = value, guard
                continue
            if known is True and guard is True and self.both_integers(value, best):
                best = self.domain.extreme_of(largest, best, value)
                continue
            better = value > best if largest else value < best
            take = self.domain.conjunction(
                guard, self.domain.disjunction([self.domain.negation(known), better])
            )
            best = self.merger.merge(take, value, best)
            known = self.domain.disjunction([known, guard])
        empty = self.domain.conjunction(live, self.domain.negation(known))
        self.fault(empty, "largest or smallest of nothing", at)
        return best

    def both_integers(self, a: Value, b: Value) -> bool:
        """Whether both are integers, and one of them is symbolic."""
        if not (self.merger.is_integer(a) and self.merger.is_integer(b)):
            return False
        return not (isinstance(a, int) and isinstance(b, int))

    def total(self, at: Place, live: Guard, values: Value, start: Value = 0) -> Value:
        result = start
        for guard, value in self.seen(live, values):
            if guard is True:
                result = result + value
            elif type(value) is int:
                if isinstance(result, int) or hasattr(result, "parts"):
                    result = self.domain.counter(result, guard, value)
                else:
                    result = result + self.domain.counter(0, guard, value)
            elif isinstance(value, self.domain.guard_type | bool):
                result = result + self.domain.counter(0, self.domain.conjunction(guard, value), 1)
            else:
                result = result + self.domain.choose(guard, value, 0)
        return result

    def any_of(self, at: Place, live: Guard, values: Value) -> Guard:
        return self.domain.disjunction(
            self.domain.conjunction(g, self._truth(v)) for g, v in self.seen(live, values)
        )

    def all_of(self, at: Place, live: Guard, values: Value) -> Guard:
        failing = self.domain.disjunction(
            self.domain.conjunction(g, self.domain.negation(self._truth(v)))
            for g, v in self.seen(live, values)
        )
        return self.domain.negation(failing)

    def _truth(self, value: Value) -> Guard:
        return self.truth(value, None, None)  # type: ignore[arg-type]

    def numbered(self, at: Place, live: Guard, values: Value, start: Value = 0) -> GuardedList:
        made: list[tuple[Guard, Value]] = []
        index = start
        for guard, value in self.seen(live, values):
            made.append((guard, (index, value)))
            index = self.domain.counter(index, guard, 1)
        return GuardedList(made)

    def zipped(self, at: Place, live: Guard, *columns: Value, strict: bool = False) -> GuardedList:
        rows = [self.seen(live, column) for column in columns]
        # Two lists filled under the very same guards are in step even where items are absent.
        in_step = all(
            len(row) == len(rows[0])
            and all(a[0] is b[0] for a, b in zip(row, rows[0], strict=True))
            for row in rows
        )
        plain = all(guard is True for row in rows for guard, _ in row)
        if not in_step and not plain:
            raise Refusal(
                at,
                "zip of lists that are not filled side by side",
                "keep what belongs together in one list of named tuples",
            )
        return GuardedList(
            (cells[0][0], tuple(value for _, value in cells)) for cells in zip(*rows, strict=False)
        )

    def absolute(self, at: Place, live: Guard, value: Value) -> Value:
        negative = value < 0
        return self.merger.merge(negative, -value, value)

    def counted(self, at: Place, live: Guard, *bounds: Value) -> Value:
        if all(type(bound) is int for bound in bounds):
            return range(*bounds)
        if len(bounds) == 1 and hasattr(bounds[0], "parts"):
            return GuardedList((bounds[0] > index, index) for index in range(bounds[0].high))
        raise Refusal(at, "range() up to a symbolic bound", "loop over the list itself")

    def ordered(
        self, at: Place, live: Guard, values: Value, *, key: Value = None, reverse: Value = False
    ) -> Value:
        pairs = self.seen(live, values)
        if all(guard is True for guard, _ in pairs):
            keys = [
                value if key is None else self.apply(key, (value,), {}, live, at)
                for _, value in pairs
            ]
            if not self.merger.is_symbolic(tuple(keys)):
                order = sorted(range(len(keys)), key=lambda i: keys[i], reverse=reverse)
                return GuardedList(pairs[i] for i in order)
        raise Refusal(
            at,
            "sorting by symbolic keys",
            "pick the best item in a loop, or keep the list in order",
        )

    def as_integer(self, at: Place, live: Guard, value: Value = 0) -> Value:
        if isinstance(value, self.domain.guard_type):
            return self.domain.counter(0, value, 1)
        if isinstance(value, self.domain.integer_type):
            return value
        return int(value)

    def as_guard(self, at: Place, live: Guard, value: Value = False) -> Guard:
        return self._truth(value)

    def as_tuple(self, at: Place, live: Guard, values: Value = ()) -> Value:
        pairs = self.seen(live, values)
        if all(guard is True for guard, _ in pairs):
            return tuple(value for _, value in pairs)
        return GuardedList(pairs)

    def as_list(self, at: Place, live: Guard, values: Value = ()) -> GuardedList:
        return GuardedList(self.seen(live, values))

    def reverse(self, at: Place, live: Guard, values: Value) -> GuardedList:
        return GuardedList(reversed(self.seen(live, values)))

    def instance(self, at: Place, live: Guard, value: Value, kind: Any) -> Guard:
        if isinstance(value, Choice):
            return self.domain.disjunction(
                self.domain.conjunction(g, self.instance(at, live, v, kind))
                for g, v in value.alternatives
            )
        if isinstance(value, self.domain.integer_type):
            return kind is int
        return isinstance(value, kind)

    def rounded_up(self, at: Place, live: Guard, value: Value, alignment: Value) -> Value:
        return self._rounded("align_up", value, alignment)

    def rounded_down(self, at: Place, live: Guard, value: Value, alignment: Value) -> Value:
        return self._rounded("align_down", value, alignment)

    def aligned(self, at: Place, live: Guard, value: Value, alignment: Value) -> Guard:
        return self.merger.spread(value, lambda v: v % alignment == 0)

    def _rounded(self, name: str, value: Value, alignment: Value) -> Value:
        plain = align_up if name == "align_up" else align_down

        def one(v: Value) -> Value:
            if isinstance(v, self.domain.integer_type) and type(alignment) is int:
                return getattr(self.domain, name)(v, alignment)
            return MISSING if v is MISSING else plain(v, alignment)

        return self.merger.spread(value, one)


def _changes_its_arguments(args: Sequence[Value]) -> bool:
    """Whether a call could change what it is given: then it must run under its guard."""
    return any(isinstance(arg, list | dict | set) for arg in args)


def _hashable(value: Value) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


_BUILTINS: dict[Value, Callable[..., Value]] = {
    len: Calls.length,
    max: lambda self, at, live, *args: self.extreme(at, live, True, args),
    min: lambda self, at, live, *args: self.extreme(at, live, False, args),
    sum: Calls.total,
    any: Calls.any_of,
    all: Calls.all_of,
    abs: Calls.absolute,
    range: Calls.counted,
    enumerate: Calls.numbered,
    zip: Calls.zipped,
    sorted: Calls.ordered,
    int: Calls.as_integer,
    bool: Calls.as_guard,
    tuple: Calls.as_tuple,
    list: Calls.as_list,
    reversed: Calls.reverse,
    isinstance: Calls.instance,
    align_up: Calls.rounded_up,
    align_down: Calls.rounded_down,
    is_aligned: Calls.aligned,
}
"""Functions that know about guards, symbols and choices."""
