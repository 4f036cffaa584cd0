#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py RUN REMARK: the placements of a run of hkbench as a table of the tests, on stdout.

A cell's launches must all be exact and say the same: one line stands for them. Columns are in COLUMNS;
what a cell does not have is 0. primitives.tsv is of hkbench run --placements --workload primitives,
placements.tsv of hkbench run --placements.
"""
import json
import sys

SERVICES = "file net block audio timer display print memory".split()
LATENCIES = ["hk_latency_instructions_p%d" % p for p in (50, 90, 99)]
LATENESS = ["hk_wakes", "hk_lateness_ns_sum", "hk_lateness_square_sum",
            "hk_lateness_change_square_sum", "hk_lateness_ns_max", "hk_underruns"]
COLUMNS = (["workload", "mask of the services in the kernel", "instructions per request"] +
           ["requests of " + s for s in SERVICES] + [c[3:] for c in LATENCIES + LATENESS])


def main(run, remark):
    cells = {}
    for line in open(run + "/launches.jsonl"):
        launch = json.loads(line)
        if launch["name"].startswith("guest/placement/"):
            cells.setdefault(launch["name"], []).append(launch)
    print("# " + remark)
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
