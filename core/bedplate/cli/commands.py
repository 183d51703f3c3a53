"""Which commands there are, in five groups. A new one is a line here and a file beside it; nothing else knows it.

The summary stands here, so that `bedplate --help` need not import the command; it is the command's help too.
"""

from __future__ import annotations

from dataclasses import dataclass

SEE, MACHINE, CHANGE, GUARD, BUILD = GROUPS = ("see", "machine", "change", "guard", "build")


@dataclass(frozen=True, slots=True)
class Entry:
    """target: "module:function", a command made by `bedplate.cli.frame.command` or `group`."""

    name: str
    group: str
    target: str
    summary: str


COMMANDS = (
    Entry("status", SEE, "bedplate.cli.status:status", "How the plant and the platform stand"),
    Entry("why", SEE, "bedplate.cli.why:why", "Why something is as it is: lost, whose, what to do"),
    Entry("tags", SEE, "bedplate.cli.tags:tags", "Tags with their newest values"),
    Entry("tail", SEE, "bedplate.cli.tail:tail", "Values as they come"),
    Entry("query", SEE, "bedplate.cli.query:query", "What was: samples or windows of history"),
    Entry(
        "alarms", SEE, "bedplate.cli.alarms:alarms", "Alarms that need a person; acknowledge them"
    ),
    Entry("gaps", SEE, "bedplate.cli.gaps:gaps", "What is missing, when and why; completeness"),
    Entry("browse", MACHINE, "bedplate.cli.browse:browse", "What a device has"),
    Entry("read", MACHINE, "bedplate.cli.read:read", "Values of a device, once"),
    Entry("probe", MACHINE, "bedplate.cli.probe:probe", "Reads every address once; writes nothing"),
    Entry(
        "maintenance",
        MACHINE,
        "bedplate.cli.maintenance:maintenance",
        "Set a device aside while people work on it",
    ),
    Entry(
        "capture",
        MACHINE,
        "bedplate.cli.capture:capture",
        "What a plugin and its device say to each other, into a file",
    ),
    Entry("check", CHANGE, "bedplate.cli.check:check", "Read a deployment file; contacts nothing"),
    Entry("plan", CHANGE, "bedplate.cli.plan:plan", "What applying a file would change and cost"),
    Entry(
        "apply", CHANGE, "bedplate.cli.apply:apply", "Do what the plan says, and back if it fails"
    ),
    Entry("rollback", CHANGE, "bedplate.cli.apply:rollback", "Back to a deployment before"),
    Entry("run", CHANGE, "bedplate.cli.run:run", "Run a deployment until Ctrl-C"),
    Entry(
        "attach", CHANGE, "bedplate.cli.attach:attach", "Run a plugin here for a Bedplate elsewhere"
    ),
    Entry("demo", CHANGE, "bedplate.cli.demo:demo", "A simulated bottling line, live"),
    Entry("service", CHANGE, "bedplate.cli.service:service", "A service of systemd"),
    Entry(
        "upgrade",
        CHANGE,
        "bedplate.cli.upgrade:upgrade",
        "Another version of the platform, from one file; and back",
    ),
    Entry(
        "backup",
        CHANGE,
        "bedplate.cli.backup:backup",
        "Everything of an installation in one encrypted file, and back",
    ),
    Entry("write", GUARD, "bedplate.cli.write:write", "Write a tag: checked, confirmed, read back"),
    Entry(
        "audit", GUARD, "bedplate.cli.audit:audit", "Who did what, shown, verified and taken out"
    ),
    Entry(
        "doctor",
        GUARD,
        "bedplate.cli.doctor:doctor",
        "Is this machine, and this Bedplate, in order?",
    ),
    Entry(
        "access",
        GUARD,
        "bedplate.cli.access:access",
        "Who may come in: users, tokens, certificates; who is in",
    ),
    Entry(
        "support",
        GUARD,
        "bedplate.cli.support:support",
        "One file without secrets for whoever helps you",
    ),
    Entry(
        "plugins", BUILD, "bedplate.cli.plugins:plugins", "Plugins of this machine, the refused too"
    ),
    Entry(
        "conformance",
        BUILD,
        "bedplate.cli.conformance:conformance",
        "Does a plugin keep the contract? Checks, chaos, a grade",
    ),
    Entry("new", BUILD, "bedplate.cli.new:new", "A package of your own that works as it is"),
    Entry(
        "replay",
        BUILD,
        "bedplate.cli.replay:replay",
        "A captured device at your desk, against your plugin",
    ),
    Entry("bundle", BUILD, "bedplate.cli.bundle:bundle", "A plugin as one file, for no network"),
    Entry("install", BUILD, "bedplate.cli.install:install", "Install a plugin from a bundle"),
    Entry("uninstall", BUILD, "bedplate.cli.install:uninstall", "Take an installed plugin away"),
    Entry(
        "completion",
        BUILD,
        "bedplate.cli.completion:completion",
        "Completion script for your shell",
    ),
    Entry("help", BUILD, "bedplate.cli.topics:help_", "Help on a command or a topic"),
)
