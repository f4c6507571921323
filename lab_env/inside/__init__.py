"""What runs inside room A, as programs: our side of a jail that nobody may trust.

Modules here import the standard library, the installed packages and one another, and
nothing else of ``lab_env``; nothing outside imports them, but for their constants'
sake a test may.
"""
