"""What runs inside room A, as programs: our side of a jail that nobody may trust.

Modules here import the standard library, the installed packages and one another, and
nothing else of ``lab_env``. Of them the outside imports two: ``link``, the words that
both sides of a run speak, and ``kernel_calls``.
"""
