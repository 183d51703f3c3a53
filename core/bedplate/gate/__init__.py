"""The gate: every call of the API passes it. Who asks, whether they may, and one line about it in the audit log.

Rule: deny by default. The kernel's table decides first, security modules may only add denials, and whatever goes wrong
on the way is a denial. Knows no gRPC; what a call is, the server says.
"""
