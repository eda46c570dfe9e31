"""Answers put into words, drawings and JSON.  Nothing here decides anything."""
