"""What all tests share: quiet libraries, one thread each."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Before any library is imported: two test processes share two cores.
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "JUPYTER_PLATFORM_DIRS": "1",
}
for name in ("LAB_COURSE", "LAB_LANGUAGE", "LAB_RECORD_KEY"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One browser for all tests of a process: Playwright works once in each."""
    from chromium import chromium

    with chromium() as opened:
        yield opened
