"""`bedplate new`: packages for authors, made of templates that are themselves packages whose tests pass.

Public: `make`, `Wanted`. Owns names and copying; what is in a package stands in templates/<language>/<kind>.
"""

from bedplate.new.making import KINDS, LANGUAGES, Wanted, make

__all__ = ["KINDS", "LANGUAGES", "Wanted", "make"]
