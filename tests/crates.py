"""The validator of RO-Crates, as far as it works without a network."""

import json
from importlib import resources

import requests_cache
from requests_cache.models import CachedRequest, CachedResponse
from rocrate_validator import services

from texalign.report import crate

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


def fetched(path):
    """Make the validator's store of what it fetches, with RO-Crate's words in it: nothing is fetched here.

    The words are those that come with rocrate, of a later version. Four of them meant something else in 1.1.
    """
    words = json.loads(resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text())
    for word in ("ComputationalWorkflow", "FormalParameter"):
        words["@context"][word] = f"https://bioschemas.org/{word}"
    for word in ("input", "output"):
        words["@context"][word] = f"https://bioschemas.org/ComputationalWorkflow#{word}"
    answer = {"content": json.dumps(words).encode(), "headers": {"Content-Type": "application/ld+json"}}
    with requests_cache.CachedSession(str(path), backend="sqlite", expire_after=-1) as session:
        request = CachedRequest(method="GET", url=CONTEXT)
        session.cache.save_response(CachedResponse(status_code=200, url=CONTEXT, request=request, **answer))
    return path


def validated(folder, about, store):
    """Write what describes a folder, and ask the validator about it."""
    (folder / crate.NAME).write_text(json.dumps(about), encoding="utf-8")
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="provenance-run-crate",
        offline=True,
        cache_path=store,
        cache_max_age=-1,
    )
    return services.validate(settings)
