"""Allocator policies: functions from a machine to an outcome.

:mod:`protocol` says what a policy is and what it may use; :mod:`registry` finds one by name;
:mod:`linux` and :mod:`greedy` are built in.
"""
