# SPDX-License-Identifier: MIT
# Round trip by transport and placement: median of the launches, bar over their middle half.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
stats data using 1 nooutput name "S"
rows = S_max + 1
height = 150 + 22 * rows
load "style.gp"
set title "Round trip of 64 bytes"
set xlabel "cost per round trip (µs, logarithmic)"
set logscale x
set yrange [rows - 0.4 : -0.6]
if (format ne "dumb") set grid xtics mxtics noytics
set key outside top center horizontal noenhanced
set ytics noenhanced
shift(i) = 0.16 * (i - 0.5 * (S_blocks - 2))
# Block 0 names the rows; the others are the placements.
plot data index 0 using 3:1:ytic(2) with points pt 0 notitle, \
    for [i = 1 : S_blocks - 1] data index i using ($3 / 1e3):($1 + shift(i - 1)):($4 / 1e3):($5 / 1e3) \
    with xerrorbars lt i dt solid title columnheader(1)
