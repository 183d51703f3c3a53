"""The 72 acceptance cases of security: what is tried, and what must come of it.

A test shows a case by carrying its id, `@pytest.mark.case("A12")`; several ids and several tests are fine. `shown.py`
counts them, and `make test` ends with the table.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    tried: str
    expected: str


# Cases that a machine of CI can't show, each with the reason. Whatever else is skipped or missing there is a failure.
CANNOT_RUN: dict[str, str] = {}

CASES: dict[str, Case] = {
    # who comes in
    "A01": Case(
        "every method of the contracts, called without a credential",
        "UNAUTHENTICATED, and a line in the audit log",
    ),
    "A02": Case(
        "client certificates of another CA, expired, not valid yet, for servers only",
        "the handshake fails, and is counted",
    ),
    "A03": Case("a valid certificate of somebody without a role", "denied everything but who am I"),
    "A04": Case(
        "another user of the machine dials the plugins' socket",
        "the folder's mode refuses; where it is opened by force, the token does",
    ),
    "A05": Case(
        "a token that was overheard, from another certificate; a ticket of before the restart",
        "UNAUTHENTICATED",
    ),
    "A06": Case("an account is disabled while its stream is open", "the stream is cut within 5 s"),
    "A07": Case("a password or key out of manuals and examples", "no start, exit code 2"),
    "A08": Case("a private file that others may read", "no start; the message names the file"),
    "A09": Case(
        "a certificate is revoked while its connection is open", "cut within 5 s, no new one"
    ),
    "A10": Case(
        "twenty wrong passwords; users guessed by how long an answer takes",
        "waiting times, one message for all, less than 10 ms apart",
    ),
    "A11": Case("listening where others reach it, without TLS", "no start"),
    # who may
    "A12": Case(
        "a security module that raises, answers nothing, sleeps for a minute",
        "denied within 500 ms, and the module is flagged",
    ),
    "A13": Case("two security modules disagree", "the denial wins"),
    "A14": Case(
        "a viewer writes, configures, installs, deletes audit",
        "denied, and a line in the audit log",
    ),
    "A15": Case(
        "whoever proposed a command approves it; a second token on the same certificate", "refused"
    ),
    "A16": Case("value or tag changed by one bit after the approval", "the approval is void"),
    "A17": Case("an approval after 5 min, the clock set back by an hour meanwhile", "expired"),
    "A18": Case(
        "everything asked for by a role that may see one area",
        "only that area, and no hint that there is more",
    ),
    # plugins and where they come from
    "A19": Case("one byte of an installed plugin changed", "not started, and told"),
    "A20": Case(
        "a plugin unsigned, signed by a stranger, or with more files than it lists",
        "not loaded, unless it is named",
    ),
    "A21": Case(
        "files swapped between check and start, a thousand times", "only what was checked runs"
    ),
    "A22": Case(
        "start-up code in the kernel's environment: .pth, sitecustomize",
        "doctor and the start tell it; `strict` refuses",
    ),
    "A23": Case("a plugin that is installed and not listed", "not imported"),
    "A24": Case(
        "archives with .., absolute paths, links, devices, bombs, a million files",
        "refused, nothing outside the target",
    ),
    "A25": Case(
        "a plugin asks for what its manifest does not declare",
        "refused, and a line in the audit log",
    ),
    # what must be written down
    "A26": Case("each event that must be audited, once", "all there, complete, in order"),
    "A27": Case(
        "audit log on a disk that is full, read-only or failing",
        "no commands, no changes; data flows; an alarm",
    ),
    "A28": Case(
        "audit log edited, cut, reordered, truncated, written anew",
        "verify names the first bad entry, with an anchor also the last two",
    ),
    "A29": Case("old TLS, empty ciphers, OPC UA without security", "refused, unless named"),
    "A30": Case(
        "an installation weakened in ten ways, one at a time", "doctor names each, and nothing else"
    ),
    # calls and parsers
    "A31": Case(
        "a message over 4 MiB, a bomb of gzip, 60 KiB of metadata",
        "RESOURCE_EXHAUSTED, and no memory lost",
    ),
    "A32": Case(
        "nesting, negative lengths, wrong types, millions of empty elements",
        "refused or bounded, within a second",
    ),
    "A33": Case(
        "1,000 connections that say nothing, or a byte a second",
        "closed, and others are served meanwhile",
    ),
    "A34": Case(
        "10,000 streams opened and cancelled", "rest afterwards, and others are served meanwhile"
    ),
    "A35": Case(
        "subscribers that never read", "limited for each identity; calls of others within 250 ms"
    ),
    "A36": Case("a flood of pings", "GOAWAY"),
    "A37": Case(
        "reflection, channelz, unknown methods with huge names",
        "UNIMPLEMENTED, no name in the log as it came",
    ),
    "A38": Case("a second process binds the port", "refused"),
    "A39": Case(
        "deadlines of zero, less, and ten years", "DEADLINE_EXCEEDED, or cut to what is usual"
    ),
    "A40": Case(
        "odd numbers, huge texts, names with NUL, newline, .., lone surrogates",
        "refused one by one; no file anywhere",
    ),
    # files
    "A41": Case(
        "YAML that readers understand differently", "an error with file and line; text stays text"
    ),
    "A42": Case(
        "unknown and misspelt words, values out of range",
        "an error with the nearest name; nothing applied",
    ),
    "A43": Case("folders within one another, links, writable for all", "no start"),
    "A44": Case("SIGHUP with a broken file", "what runs goes on, and it is told"),
    "A45": Case(
        "the connection is cut during a write",
        "nothing more is sent; the state is unknown, and said so",
    ),
    "A46": Case("a mistake of ours in every handler", "the caller sees an id"),
    "A47": Case(
        "an admin deletes, rotates or disables audit, or moves it over the API",
        "impossible, or denied and audited",
    ),
    "A48": Case("a secret in files, errors, reprs, dumps, plans, support", "shown nowhere"),
    "A49": Case("inventory and bill of materials against what is loaded", "equal"),
    "A50": Case(
        "a plugin reads, dials, signals, forks, eats memory, files and disk",
        "denied, and the kernel goes on",
    ),
    "A51": Case("a plugin prints a gigabyte, binary, escape sequences", "limited, escaped, cut"),
    "A52": Case("a plugin speaks for another", "PERMISSION_DENIED"),
    "A53": Case(
        "a plugin acknowledges what it never had", "a breach, a new session, nothing deleted"
    ),
    "A54": Case("a plugin hangs when it should end", "killed; the kernel ends within 10 s"),
    # data
    "A55": Case("one batch, sent again and again", "stored once"),
    "A56": Case(
        "sequences with holes, from the start, of two senders",
        "a gap, a new session, the second refused",
    ),
    "A57": Case(
        "times of 1970, 2262, in ten years, going back", "stored and flagged, nothing purged"
    ),
    "A58": Case(
        "devices that answer wrongly: ids, lengths, exceptions, without end",
        "Bad or reconnected, never another tag's value, memory bounded",
    ),
    "A59": Case("a sink that loses what it had accepted", "sent again, stored once"),
    "A60": Case(
        "a sink that refuses one record for ever", "a dead letter and an alarm; the rest flows"
    ),
    "A61": Case(
        "a journal of a newer version, another machine, half a file",
        "refused or recovered as declared, never deleted",
    ),
    "A62": Case("two kernels on one folder", "the second ends with 2"),
    "A63": Case("a full disk while anything is saved", "as documented; no half files"),
    "A64": Case("the quota is reached", "what is dropped is counted, to the record"),
    # commands
    "A65": Case(
        "writes of NaN, out of range, of a wrong type, too large for the register",
        "refused before the wire",
    ),
    "A66": Case(
        "the interlock's tag is stale, Bad, missing, or its plugin dead",
        "refused: what is not known is not true",
    ),
    "A67": Case(
        "100 writes a second of one identity; two clients on one tag",
        "limited; who comes second loses",
    ),
    "A68": Case("one command twice, also across a restart", "the first result, one effect"),
    "A69": Case("a command waits while its device is away", "expired, never sent"),
    "A70": Case(
        "the rules are edited on disk", "noticed; the old ones hold until somebody applies the new"
    ),
    "A71": Case(
        "the kill switch while commands are on their way",
        "what is not sent is refused, what is sent is checked",
    ),
    "A72": Case("a value, user or reason that looks like a line of the log", "escaped, one line"),
}
