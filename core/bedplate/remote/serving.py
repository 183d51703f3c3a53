"""Which session serves which kind of plugin."""

from __future__ import annotations

from bedplate.remote.analytic_side import AnalyticSession
from bedplate.remote.connector_side import ConnectorSession
from bedplate.remote.security_side import SecuritySession

SESSIONS = {"connector": ConnectorSession, "analytic": AnalyticSession, "security": SecuritySession}
