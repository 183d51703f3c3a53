"""bedplate.api.v1, served. Every method is declared with the action the gate decides on; there is no other way in."""
