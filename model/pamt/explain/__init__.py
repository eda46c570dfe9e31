"""Why there is no placement: causes as typed data, then sentences with numbers and provenance.

:mod:`minimal` finds a minimal unsatisfiable subset of causes; :mod:`causes` says which causes a
placement question has and collects the evidence for each; :mod:`sentences` turns them into text.
"""
