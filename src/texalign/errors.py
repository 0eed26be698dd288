"""What is raised when what the user gave cannot be used. Imports nothing."""


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line that names the file, key or value, what is allowed, and what to do.
    The rule scripts print it without a traceback.
    """
