"""Annotation: configuration, tasks, results, their files, agreement and grading.

Everything on disk is Label Studio's own form (configuration XML, task JSON), so that
what is learnt and written here goes on in the industry's tool.
"""
