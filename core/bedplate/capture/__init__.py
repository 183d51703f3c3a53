"""A device's conversation over TCP, recorded at the customer's and played back at the author's desk.

recording.py: the file · routes.py: where a component connects to, and how to lead it elsewhere · proxy.py: stands
between plugin and device and writes down what passes · playback.py: answers as the device did · listener.py: what both
do. Works for plugins of every language, since it changes settings and looks at bytes only. Not for UDP, serial lines,
or what is encrypted.
"""

from bedplate.capture.playback import Departure, Playback
from bedplate.capture.proxy import Proxy
from bedplate.capture.recording import Recorder, Recording, load
from bedplate.capture.routes import Route, reroute, routes

__all__ = [
    "Departure",
    "Playback",
    "Proxy",
    "Recorder",
    "Recording",
    "Route",
    "load",
    "reroute",
    "routes",
]
