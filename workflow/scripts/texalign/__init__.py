"""How CNNs represent textures, and whether that is how people see them.

Plain functions on arrays and tensors. The library knows neither snakemake nor the config; the
rule scripts beside it do the translating.
"""


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line that names the file, key or value, what is allowed, and what to do.
    The rule scripts print it without a traceback.
    """
