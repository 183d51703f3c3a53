"""Interlocks: conditions on other tags of an asset, `guard_closed and state != fault`. No `eval`, only comparing.

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" expression ")" | comparison
    comparison  = operand [ ("==" | "!=" | "<" | "<=" | ">" | ">=") operand ]
    operand     = name | label | number | "true" | "false" | '"name, label or text"'

Pure: no clock, no file. Used by `bedplate check` (problems) and by the write guard (parse, judge).
"""

from bedplate.interlock.checking import parse, problems
from bedplate.interlock.meaning import Fact, Outcome, judge
from bedplate.interlock.tokens import BadInterlock, Fault

__all__ = ["BadInterlock", "Fact", "Fault", "Outcome", "judge", "parse", "problems"]
