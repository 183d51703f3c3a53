"""Admin.Explain: everything that is known of one subject, ending with what is lost, whose it is and what to do.

Rule: each sentence says what was seen. What could not be seen is named; nobody is sent to a log.
"""

from bedplate.server.explain.service import ExplainService

__all__ = ["ExplainService"]
