"""Mutants of histories, analytics and security modules."""

from __future__ import annotations

from tests.mutants.mutant import ANALYTIC, HISTORY, SECURITY, Mutant

EACH_RECORD = "        for one in ask.records:\n            if one.WhichOneof"

KEEPING = (
    Mutant(
        "CON-050",
        HISTORY,
        "a position ahead",
        "        reply.deliver.position = self.position",
        "        reply.deliver.position = self.position + 5",
    ),
    Mutant(
        "CON-051",
        HISTORY,
        "needs a record",
        "        self.position = max([self.position, *(one.position for one in ask.records)])",
        "        self.position = max(one.position for one in ask.records)",
    ),
    Mutant(
        "CON-052",
        HISTORY,
        "counts twice",
        "            if one.position <= self.position or one.Which",
        "            if one.Which",
    ),
    Mutant(
        "CON-053",
        HISTORY,
        "keeps it in memory",
        "        part.rename(self.file)",
        "        part.unlink()",
    ),
    Mutant(
        "CON-060",
        HISTORY,
        "all is Good",
        "            quality = list(one.batch.quality) or [0] * one.batch.count",
        "            quality = [0] * one.batch.count",
    ),
    Mutant(
        "CON-061", HISTORY, "the end is included", "<= row[0] < ask.to]", "<= row[0] <= ask.to]"
    ),
    Mutant(
        "CON-062",
        HISTORY,
        "an unknown tag is a bug",
        "self.samples.get(path, [])",
        "self.samples[path]",
    ),
    Mutant(
        "CON-063",
        HISTORY,
        "one question at a time",
        '        if "folder" not in self.settings:\n            raise Refused',
        "        time.sleep(0.2)\n        if self.asks.qsize():\n            raise Refused",
    ),
)
ANALYTICS = (
    Mutant(
        "ANA-001",
        ANALYTIC,
        "an output without a type",
        'add(asset=index, name="sum", data_type=1)',
        'add(asset=index, name="sum")',
    ),
    Mutant(
        "ANA-002",
        ANALYTIC,
        "a handle of nobody",
        "out.tag.append(self.outputs[asset])",
        "out.tag.append(self.outputs[asset] + 7)",
    ),
    Mutant(
        "ANA-003",
        ANALYTIC,
        "looks at the clock",
        "out.time.append(when)",
        "out.time.append(time.time_ns())",
    ),
    Mutant(
        "ANA-004",
        ANALYTIC,
        "counts what came together",
        "out.float64.append(total)",
        "out.float64.append(total + len(reply.process.batches))",
    ),
    Mutant(
        "ANA-005",
        ANALYTIC,
        "begins anew",
        "            self.sums[state.key] = (float(total), int(count))",
        "            self.sums[state.key] = (0.0, 0)",
    ),
    Mutant(
        "ANA-006",
        ANALYTIC,
        "NaN is a bug",
        "or not math.isfinite(value):",
        "or math.floor(value) is None:",
    ),
    Mutant(
        "ANA-007",
        ANALYTIC,
        "every record is a batch",
        '            if one.WhichOneof("body") == "batch":\n                self.take',
        "            if one.batch.tag[0]:\n                self.take",
    ),
    Mutant(
        "ANA-008",
        ANALYTIC,
        "needs a record",
        EACH_RECORD,
        "        ask.records[0].position\n" + EACH_RECORD,
    ),
    Mutant(
        "ANA-009",
        ANALYTIC,
        "an alarm elsewhere",
        'source = asset + "/high"',
        'source = "elsewhere/high"',
    ),
    Mutant(
        "ANA-010",
        ANALYTIC,
        "all to the last asset",
        '            asset = self.paths[handle].rpartition("/")[0]',
        "            asset = self.assets[-1]",
    ),
    Mutant(
        "ANA-011",
        ANALYTIC,
        "reads any state",
        '            if version != b"v1":',
        "            if False:",
    ),
)
DECIDING = (
    Mutant(
        "SEC-001",
        SECURITY,
        "fifty decisions at most",
        "        for check in ask.checks:",
        "        for check in ask.checks[:50]:",
    ),
    Mutant(
        "SEC-002",
        SECURITY,
        "from the last to the first",
        "        for check in ask.checks:",
        "        for check in reversed(ask.checks):",
    ),
    Mutant("SEC-003", SECURITY, "lets everybody in", 'or "admin" in ask.subject.roles', "or True"),
    Mutant(
        "SEC-004",
        SECURITY,
        "an empty action is a bug",
        'not check.action.startswith("admin.")',
        'check.action[0] != "x"',
    ),
    Mutant(
        "SEC-005",
        SECURITY,
        "takes its time",
        "            verdict = 1 if allowed else 2",
        "            verdict = 1 if allowed else 2\n            time.sleep(0.006)",
    ),
    Mutant(
        "SEC-006",
        SECURITY,
        "drops what is too much",
        "        for check in ask.checks:",
        "        for check in ask.checks if self.asks.qsize() < 5 else ():",
    ),
    Mutant(
        "SEC-007",
        SECURITY,
        "no without a why",
        'reason="" if allowed else "only for admins"',
        'reason=""',
    ),
)
