"""The interpreter: runs the syntax tree of a function once, with guards in place of control flow.

Every statement runs under a guard, the condition of all paths that reach it.  An ``if`` on an
unknown condition runs both branches, on two copies of the variables, and merges those that are
live.  ``return``, ``break`` and ``continue`` take their paths out of the guard.  No path is forked,
so the work is that of one run, whatever the number of paths.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import NamedTuple

from pamt.verify.interp.domain import Concrete, Domain, Guard
from pamt.verify.interp.expressions import Expressions
from pamt.verify.interp.merge import Merger
from pamt.verify.interp.refusal import Place, Refusal, place_of
from pamt.verify.interp.source import Source, source_of
from pamt.verify.interp.values import MISSING, GuardedList, Value

__all__ = ["Fault", "Interpreter", "Result", "Return"]

Environment = dict[str, Value]


class Return(NamedTuple):
    """One ``return`` that can be reached."""

    guard: Guard
    value: Value
    place: Place


class Fault(NamedTuple):
    """Where a run raises: ``raise``, a field of None, an index outside of a list."""

    guard: Guard
    what: str
    place: Place


class Result(NamedTuple):
    """What a call answers."""

    value: Value
    """All returns merged."""
    returns: tuple[Return, ...]
    """Each reachable return with its guard: what to ask a solver about, one at a time."""
    faults: tuple[Fault, ...]


class Frame:
    """One call: its source, its global names, and the ways out taken so far."""

    def __init__(self, source: Source, names: Mapping[str, Value], entry: Guard) -> None:
        self.source = source
        self.globals = names
        self.entry = entry
        self.returns: list[Return] = []
        self.loops: list[Exits] = []

    def place(self, node: ast.AST) -> Place:
        return place_of(self.source.file, node)


class Exits:
    """Ways out of one loop: (guard, variables)."""

    def __init__(self) -> None:
        self.breaks: list[tuple[Guard, Environment]] = []
        self.continues: list[tuple[Guard, Environment]] = []


Primitive = Callable[..., Value]


class Interpreter(Expressions):
    """Runs functions in one domain.

    `primitives` replaces functions by domain knowledge: ``{function: primitive}``, called as
    ``primitive(interpreter, live, *args, **keywords)``.  With `native` (the default) a call whose
    arguments hold no symbol is carried out by Python itself.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        primitives: Mapping[Value, Primitive] | None = None,
        native: bool = True,
    ) -> None:
        self.domain: Domain = domain if domain is not None else Concrete()
        self.merger = Merger(self.domain)
        self.primitives: dict[Value, Primitive] = dict(primitives or {})
        self.native = native
        self.faults: list[Fault] = []
        self.steps = 0
        """Statements run, for budgets and benchmarks."""

    # Calls

    def call(self, function: Value, *args: Value, live: Guard = True, **keywords: Value) -> Result:
        """Run `function` on values that may be symbolic.

        Raises Refusal for what is outside of the language subset.
        """
        before = len(self.faults)
        returns: list[Return] = []
        value = self.apply(function, args, keywords, live, Place("call", 0), returns)
        return Result(value, tuple(returns), tuple(self.faults[before:]))

    def run_function(
        self,
        function: FunctionType,
        args: Sequence[Value],
        keywords: Mapping[str, Value],
        live: Guard,
        at: Place,
        returns: list[Return] | None = None,
    ) -> Value:
        """Interpret the source of `function`."""
        source = source_of(function)
        frame = Frame(source, function.__globals__, live)
        environment = self._bind(function, source, args, keywords, at)
        if function.__closure__:
            for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True):
                environment.setdefault(name, cell.cell_contents)
        _, left = self.block(frame, source.tree.body, environment, live)
        if left is not False:
            frame.returns.append(Return(left, None, frame.place(source.tree)))
        if returns is not None:
            returns += frame.returns
        arms = [(self.domain.narrowing(found.guard, live), found.value) for found in frame.returns]
        if not arms:
            return MISSING  # every path raises
        return self.merger.first(arms)

    def _bind(
        self,
        function: FunctionType,
        source: Source,
        args: Sequence[Value],
        keywords: Mapping[str, Value],
        at: Place,
    ) -> Environment:
        spec = source.tree.args
        if spec.vararg or spec.kwarg:
            raise Refusal(
                place_of(source.file, source.tree), "*args or **kwargs", "name the parameters"
            )
        names = [a.arg for a in spec.posonlyargs + spec.args]
        bound: Environment = dict(zip(names, args, strict=False))
        bound.update(keywords)
        for name, default in zip(
            names[len(names) - len(function.__defaults__ or ()) :],
            function.__defaults__ or (),
            strict=True,
        ):
            bound.setdefault(name, default)
        for name, default in (function.__kwdefaults__ or {}).items():
            bound.setdefault(name, default)
        missing = [n for n in [*names, *(a.arg for a in spec.kwonlyargs)] if n not in bound]
        if missing or len(args) > len(names):
            raise Refusal(at, f"wrong arguments for {function.__qualname__}", "match its def")
        return bound

    # Statements

    def block(
        self, frame: Frame, body: Sequence[ast.stmt], environment: Environment, live: Guard
    ) -> tuple[Environment, Guard]:
        """Run statements; answers the variables after them and the guard of what falls through."""
        for node in body:
            if live is False:
                break
            self.steps += 1
            environment, live = self._statement(frame, node, environment, live)
        return environment, live

    def _statement(
        self, frame: Frame, node: ast.stmt, environment: Environment, live: Guard
    ) -> tuple[Environment, Guard]:
        match node:
            case ast.Assign(targets=targets, value=value):
                made = self.evaluate(frame, value, environment, live)
                for target in targets:
                    self.assign(frame, target, made, environment, live)
            case ast.AnnAssign(target=target, value=annotated):
                if annotated is not None:
                    made = self.evaluate(frame, annotated, environment, live)
                    self.assign(frame, target, made, environment, live)
            case ast.AugAssign():
                self._augment(frame, node, environment, live)
            case ast.Expr(value=value):
                if not isinstance(value, ast.Constant):
                    self.evaluate(frame, value, environment, live)
            case ast.If():
                return self._if(frame, node, environment, live)
            case ast.For():
                return self._for(frame, node, environment, live)
            case ast.While():
                return self._while(frame, node, environment, live)
            case ast.Return(value=ast.Call() as call):
                # The callee's returns are this function's: each keeps its own guard.
                found: list[Return] = []
                answer = self.call_expression(frame, call, environment, live, found)
                if len(found) > 1:
                    frame.returns += found
                elif answer is not MISSING:
                    frame.returns.append(Return(live, answer, frame.place(node)))
                return environment, False
            case ast.Return(value=returned):
                answer = (
                    None if returned is None else self.evaluate(frame, returned, environment, live)
                )
                frame.returns.append(Return(live, answer, frame.place(node)))
                return environment, False
            case ast.Break():
                frame.loops[-1].breaks.append((live, environment))
                return environment, False
            case ast.Continue():
                frame.loops[-1].continues.append((live, environment))
                return environment, False
            case ast.Pass():
                pass
            case ast.Assert(test=test):
                holds = self.truth(self.evaluate(frame, test, environment, live), frame, test)
                failing = self.domain.conjunction(live, self.domain.negation(holds))
                self.fault(failing, "assertion fails", frame.place(node))
                return environment, self.domain.conjunction(live, holds)
            case ast.Raise():
                self.fault(live, f"raises {ast.unparse(node)[6:]}", frame.place(node))
                return environment, False
            case _:
                raise Refusal(
                    frame.place(node),
                    f"statement {type(node).__name__}",
                    "use assignments, if, for, break, continue, return, append and counters",
                )
        return environment, live

    def fault(self, guard: Guard, what: str, place: Place) -> None:
        """Note that the run raises where `guard` holds."""
        if guard is not False:
            self.faults.append(Fault(guard, what, place))

    def _if(
        self, frame: Frame, node: ast.If, environment: Environment, live: Guard
    ) -> tuple[Environment, Guard]:
        test = self.truth(self.evaluate(frame, node.test, environment, live), frame, node.test)
        then = self.domain.conjunction(live, test)
        other = self.domain.conjunction(live, self.domain.negation(test))
        if test is True or other is False:
            return self.block(frame, node.body, environment, live)
        if test is False or then is False:
            return self.block(frame, node.orelse, environment, live)
        env_then, left_then = self.block(frame, node.body, dict(environment), then)
        env_other, left_other = self.block(frame, node.orelse, dict(environment), other)
        if left_then is False:
            return env_other, left_other
        if left_other is False:
            return env_then, left_then
        names = frame.source.live_after[node]
        joined = self.join(names, test, (left_then, env_then), (left_other, env_other))
        if left_then is then and left_other is other:
            return joined, live
        narrowing = self.domain.narrowing
        return joined, self.domain.conjunction(
            live,
            self.domain.disjunction([narrowing(left_then, live), narrowing(left_other, live)]),
        )

    def join(
        self,
        names: frozenset[str],
        test: Guard,
        a: tuple[Guard, Environment],
        b: tuple[Guard, Environment],
    ) -> Environment:
        """The live variables of two paths that meet; `test` tells `a` from `b`."""
        joined: Environment = {}
        for name in sorted(names):  # the solver's steps depend on the order of terms
            left, right = a[1].get(name, MISSING), b[1].get(name, MISSING)
            if left is MISSING and right is MISSING:
                continue
            joined[name] = self._join_value(test, a[0], left, b[0], right)
        return joined

    def _join_value(self, test: Guard, guard_a: Guard, a: Value, guard_b: Guard, b: Value) -> Value:
        if a is b:
            return a
        summed = self._join_counters(guard_a, a, guard_b, b)
        return summed if summed is not None else self.merger.merge(test, a, b)

    def _join_counters(self, guard_a: Guard, a: Value, guard_b: Guard, b: Value) -> Value | None:
        """A counter that only grew under guards is one sum, whichever path was taken.

        Sound where each part that one side has and the other lacks cannot hold on the other side.
        """
        base_a, parts_a = _counter_parts(a)
        base_b, parts_b = _counter_parts(b)
        if base_a is None or base_a != base_b or (not parts_a and not parts_b):
            return None
        shared = 0
        for x, y in zip(parts_a, parts_b, strict=False):
            if x[0] is not y[0] or x[1] != y[1]:
                break
            shared += 1
        more_a, more_b = parts_a[shared:], parts_b[shared:]
        disjoint = self.domain.disjoint
        if not all(disjoint(g, guard_b) for g, _ in more_a):
            return None
        if not all(disjoint(g, guard_a) for g, _ in more_b):
            return None
        total = a
        for guard, step in more_b:
            total = self.domain.counter(total, guard, step)
        return total

    def _augment(
        self, frame: Frame, node: ast.AugAssign, environment: Environment, live: Guard
    ) -> None:
        old = self.evaluate(frame, node.target, environment, live)
        step = self.evaluate(frame, node.value, environment, live)
        if isinstance(node.op, ast.Add) and isinstance(old, GuardedList):
            self.extend(frame, node, old, step, live)
            return
        if (
            isinstance(node.op, ast.Add | ast.Sub)
            and isinstance(node.target, ast.Name)
            and type(step) is int
            and live is not True
            and _counter_parts(old)[0] is not None
        ):
            signed = step if isinstance(node.op, ast.Add) else -step
            environment[node.target.id] = self.domain.counter(old, live, signed)
            return
        made = self.binary(frame, node, node.op, old, step, live)
        self.assign(frame, node.target, made, environment, live)

    # Loops

    def _for(
        self, frame: Frame, node: ast.For, environment: Environment, live: Guard
    ) -> tuple[Environment, Guard]:
        if node.orelse:
            raise Refusal(frame.place(node), "else of a for loop", "use a flag set before break")
        items = self.items(frame, node.iter, environment, live)
        entry = live
        returned = len(frame.returns)
        faulted = len(self.faults)
        exits = Exits()
        frame.loops.append(exits)
        for guard, value in items:
            if live is False:
                break
            environment, live = self.iteration(frame, node, exits, guard, value, environment, live)
        frame.loops.pop()
        return self._after_loop(frame, node, exits, environment, live, entry, returned, faulted)

    def iteration(
        self,
        frame: Frame,
        node: ast.For,
        exits: Exits,
        guard: Guard,
        value: Value,
        environment: Environment,
        live: Guard,
    ) -> tuple[Environment, Guard]:
        """One item of a loop: variables and guard at the head of the next."""
        inside = self.domain.conjunction(live, guard)
        if inside is False:
            return environment, live
        breaks, returns, faults = len(exits.breaks), len(frame.returns), len(self.faults)
        exits.continues = []
        own = dict(environment)
        self.assign(frame, node.target, value, own, inside)
        after, left = self.block(frame, node.body, own, inside)
        names = frame.source.live_at_head[node] | frame.source.live_after[node]
        arms = [] if left is False else [(left, after)]
        arms += exits.continues
        if guard is not True:
            absent = self.domain.conjunction(live, self.domain.negation(guard))
            if absent is not False:
                arms.append((absent, environment))
        gone = [g for g, _ in exits.breaks[breaks:]]
        gone += [found.guard for found in frame.returns[returns:]]
        gone += [fault.guard for fault in self.faults[faults:] if fault.guard is not True]
        if not arms:
            return environment, False
        joined = self.join_arms(names, arms, live)
        return joined, self._without(live, gone) if gone else live

    def _without(self, live: Guard, gone: Sequence[Guard]) -> Guard:
        for guard in gone:
            out = self.domain.narrowing(guard, live)
            live = self.domain.conjunction(live, self.domain.negation(out))
        return live

    def join_arms(
        self, names: frozenset[str], arms: Sequence[tuple[Guard, Environment]], live: Guard
    ) -> Environment:
        """Merge any number of paths that narrow `live`; the last one is the one left over."""
        result_guard, result = arms[-1]
        for guard, environment in reversed(arms[:-1]):
            test = self.domain.narrowing(guard, live)
            result = self.join(names, test, (guard, environment), (result_guard, result))
            result_guard = self.domain.disjunction([guard, result_guard])
        if len(arms) == 1:
            return {name: value for name, value in result.items() if name in names}
        return result

    def _after_loop(
        self,
        frame: Frame,
        node: ast.For | ast.While,
        exits: Exits,
        environment: Environment,
        live: Guard,
        entry: Guard,
        returned: int,
        faulted: int,
    ) -> tuple[Environment, Guard]:
        if not exits.breaks:
            return environment, live
        arms = list(exits.breaks)
        if live is not False:
            arms.append((live, environment))
        joined = self.join_arms(frame.source.live_after[node], arms, entry)
        left_otherwise = frame.returns[returned:] or self.faults[faulted:]
        if not left_otherwise:
            return joined, entry
        narrowing = self.domain.narrowing
        return joined, self.domain.conjunction(
            entry, self.domain.disjunction([narrowing(g, entry) for g, _ in arms])
        )

    def _while(
        self, frame: Frame, node: ast.While, environment: Environment, live: Guard
    ) -> tuple[Environment, Guard]:
        if node.orelse:
            raise Refusal(frame.place(node), "else of a while loop", "use a flag set before break")
        entry, returned, faulted = live, len(frame.returns), len(self.faults)
        exits = Exits()
        frame.loops.append(exits)
        while live is not False:
            test = self.truth(self.evaluate(frame, node.test, environment, live), frame, node.test)
            if test is False:
                break
            if test is not True:
                raise Refusal(
                    frame.place(node),
                    "while on a condition that depends on the map",
                    "loop with for over a list or range(), and break",
                )
            exits.continues = []
            breaks = len(exits.breaks)
            returns, faults = len(frame.returns), len(self.faults)
            after, left = self.block(frame, node.body, environment, live)
            arms = ([] if left is False else [(left, after)]) + exits.continues
            gone = [g for g, _ in exits.breaks[breaks:]]
            gone += [found.guard for found in frame.returns[returns:]]
            gone += [fault.guard for fault in self.faults[faults:] if fault.guard is not True]
            if not arms:
                live = False
                break
            names = frame.source.live_at_head[node] | frame.source.live_after[node]
            environment = self.join_arms(names, arms, live)
            live = self._without(live, gone) if gone else live
        frame.loops.pop()
        return self._after_loop(frame, node, exits, environment, live, entry, returned, faulted)


def _counter_parts(value: Value) -> tuple[int | None, tuple[tuple[Guard, int], ...]]:
    if type(value) is int:
        return value, ()
    parts = getattr(value, "parts", None)
    return (value.base, parts) if parts is not None else (None, ())
