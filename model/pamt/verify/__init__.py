"""Verification of policies on every map of a scope: scopes, properties, counterexamples."""
