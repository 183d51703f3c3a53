"""The audit log on disk: a chain of lines that tells when one is changed, its keys, checkpoints elsewhere, forwarding.

Nothing here decides anything, and nothing here is in the way of data: `bedplate.gate.audit` collects what is to be
written and hands it over on a thread. docs/decisions/audit-chain.md says why it is as it is.
"""
