"""The AI trainer lab: labs are worked, graded and recorded here.

Light on purpose: importing the package loads nothing else, because the
trainee's kernel imports ``lab_env.notebook`` at the start of every lab.
"""
