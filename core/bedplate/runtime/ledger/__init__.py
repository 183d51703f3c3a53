"""The gap ledger: what was expected of each tag and what came, by window and with reasons.

Sources count into an `Account` each; `Ledger` closes windows, keeps them in a file of its own and answers questions.
"""
