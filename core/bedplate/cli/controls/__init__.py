"""The controls of an installation, each tried: what `bedplate doctor security` shows. Changes nothing.

A control looks at the files of a deployment, and at its kernel where that runs; it says what it tried, and what came
back. One that can't be tried here says so: silence proves nothing.
"""
