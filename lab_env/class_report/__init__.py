"""The class report: what a release told about a class, and the class about its rows.

One HTML file that needs no network and runs no script, and the same figures as CSV.
For examiners and teachers: it names candidates by their numbers, and no nominal values.
"""
