"""Where others dial in: one way to accept a connection, end its TLS, know its peer and hand its bytes to a gRPC server.

Rule: a connection costs little until it has said something sensible, and whoever has not said who it is makes room for
whoever comes after. Knows no gRPC, no gate and no plugin.
"""
