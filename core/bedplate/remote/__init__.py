"""Attach: the kernel's side and the plugin's side of one bidirectional stream, over gRPC or within the process."""
