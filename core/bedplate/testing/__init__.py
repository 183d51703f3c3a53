"""What plugin authors test with. Public, like `bedplate` itself."""

from bedplate.testing.clock import FakeClock

__all__ = ["FakeClock"]
