"""``python -m lab_env.cli``: the same as ``lab``."""

from lab_env.cli import main

main()
