"""`bedplate conformance`: judges a plugin from outside, over the contract, in any language and every placement.

`catalogue` lists the checks, `examine` runs them. The kit itself is judged by mutants: a broken plugin for each check.
"""
