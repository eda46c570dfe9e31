"""The command line: one file a command; :mod:`main` finds them and loads the one asked for."""
