"""Back-fill: what a source kept in a history of its own while it could not be reached, or while nobody listened.

`Missed` knows what of which tag; `Backfill` fetches it, a page at a time, behind what is live.
"""
