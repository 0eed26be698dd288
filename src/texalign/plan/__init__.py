"""What a study has: names, paths, recipes, and the code that a rule depends on.

Pure functions of plain dicts, for the workflow's rules. Every cluster job parses the workflow again,
so nothing here imports more than the standard library.
"""
