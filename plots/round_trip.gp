# SPDX-License-Identifier: MIT
# Round trip by transport and placement: median of the launches, bar from least to most.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
stats data using 1 nooutput name "S"
rows = S_max + 1
height = 150 + 22 * rows
load "style.gp"
set title "Round trip of 64 bytes"
set xlabel "cost per round trip (µs, logarithmic)"
set logscale x
set yrange [-0.7 : rows - 0.3] reverse
set grid xtics noytics
set key outside top center horizontal noenhanced
set ytics noenhanced
plot for [i = 0 : S_blocks - 1] data index i \
    using ($3 / 1e3):($1 + 0.12 * (i - 0.5 * (S_blocks - 1))):($4 / 1e3):($5 / 1e3):ytic(2) \
    with xerrorbars lt i + 1 dt solid title columnheader(1)
