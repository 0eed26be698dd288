"""The files that a workflow is written in, found from their own words."""

import re

_INCLUDE = re.compile(r'^include: "([\w/.-]+)"', re.MULTILINE)
_SCRIPT = re.compile(r'^ +script:\s+"\.\./(scripts/[\w.-]+)"', re.MULTILINE)


def included(text):
    """Files that a Snakefile includes, beside it.

    Examples
    --------
    >>> included('include: "rules/gram.smk"')
    ['rules/gram.smk']
    """
    return _INCLUDE.findall(text)


def scripts(text):
    """Scripts that the rules of a file call, in the folder above theirs; each once.

    Examples
    --------
    >>> scripts('rule a:' + chr(10) + '    script:' + chr(10) + '        "../scripts/a.py"')
    ['scripts/a.py']
    """
    return sorted(set(_SCRIPT.findall(text)))
