"""A model checker and constraint solver for Intel TDX memory set-up."""

__version__ = "0.1.0"
