"""Differences that are as they should be, each with its reason."""

import re

# (pattern of a difference, why)
KNOWN: list[tuple[str, str]] = []


def expected(difference: str) -> bool:
    return any(re.search(pattern, difference) for pattern, _ in KNOWN)
