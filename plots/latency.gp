# SPDX-License-Identifier: MIT
# Share of round trips that take longer than x, all launches of a cell together.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
height = 560
load "style.gp"
stats data using 1 nooutput name "S"
set title "Latency of single round trips of 64 bytes"
set xlabel "latency (µs, logarithmic)"
set ylabel "share of round trips that take longer (logarithmic)"
set logscale xy
set format y power
set yrange [* : 1]
set key inside top right vertical noenhanced Left reverse
plot for [i = 0 : S_blocks - 1] data index i using ($1 / 1e3):2 with steps lt i + 1 lw 2 \
    title columnheader(1)
