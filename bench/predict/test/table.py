#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py RUN REMARK: the placements of a run of hkbench, or its native workloads, as a table of the
tests, on stdout.

A cell's launches must all be exact and say the same: one line stands for them. Columns are in COLUMNS;
what a cell does not have is 0. primitives.tsv is of hkbench run --placements --workload primitives,
placements.tsv of hkbench run --placements. Of native workloads (native.tsv, of hkbench run --full --filter
native/workload) a line has the workload, the set of servers, launches that hold, and the median of
their mean_ns.
"""
import json
import statistics
import sys

SERVICES = "file net block audio timer display print memory".split()
LATENCIES = ["hk_latency_instructions_p%d" % p for p in (50, 90, 99)]
LATENESS = ["hk_wakes", "hk_lateness_ns_sum", "hk_lateness_square_sum",
            "hk_lateness_change_square_sum", "hk_lateness_ns_max", "hk_underruns"]
COLUMNS = (["workload", "mask of the services in the kernel", "instructions per request"] +
           ["requests of " + s for s in SERVICES] + [c[3:] for c in LATENCIES + LATENESS])


def cells_of(run, prefix):
    cells = {}
    for line in open(run + "/launches.jsonl"):
        launch = json.loads(line)
        if launch["name"].startswith(prefix):
            cells.setdefault(launch["name"], []).append(launch)
    return cells


def native(cells):
    print("# by bench/predict/test/table.py; columns: workload, services in servers, launches, ns")
    for name in sorted(cells):
        ns = [l["counters"]["mean_ns"] for l in cells[name]
              if l["state"] == "ok" and not l["counters"].get("hk_disturbed")
              and not l["counters"].get("hk_slow")]
        if ns:
            servers = name.split("servers:")[1]
            print("%s\t%s\t%d\t%.2f" % (name.split("/")[2], servers, len(ns), statistics.median(ns)))


def main(run, remark):
    print("# " + remark)
    if cells_of(run, "native/workload/"):
        return native(cells_of(run, "native/workload/"))
    cells = cells_of(run, "guest/placement/")
    print("# by bench/predict/test/table.py; columns: " + ", ".join(COLUMNS))
    for name in sorted(cells):
        launches = cells[name]
        if any(l["state"] != "ok" or l["exactness"] != "exact" for l in launches):
            print("table.py: %s is not exact and left out" % name, file=sys.stderr)
            continue
        c = launches[0]["counters"]
        _, _, workload, mask = name.split("/")
        total = c["hk_instructions_kernel"] + c["hk_instructions_user"]
        values = ["hk_requests_" + s for s in SERVICES] + LATENCIES + LATENESS
        print("\t".join([workload, str(int(mask[5:])), "%.4f" % total] +
                        ["%d" % c.get(v, 0) for v in values]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
