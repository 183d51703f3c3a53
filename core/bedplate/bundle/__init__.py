"""Bundles: one offline file with a plugin, what it depends on, and its publisher's signature.

Owns the form of that file (zip, MANIFEST in the form of sha256sum, signature in the form of minisign), making one and
installing one. Nothing of a plugin's code runs here, and nothing is fetched while one is installed. Whether what is
installed may run is admission's to say (bedplate.admission.trust).
"""
