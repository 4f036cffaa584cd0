# SPDX-License-Identifier: MIT
# Cost against message size. Odd blocks are measured, even ones the fitted segments (or empty).
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
height = 560
load "style.gp"
stats data using 1 nooutput name "S"
set title "Round trip against message size, one core"
set xlabel "message size (bytes, logarithmic)"
set ylabel "cost per round trip (µs, logarithmic)"
set logscale xy
set format x "%.0b%B"
set logscale x 2
set key outside right top vertical noenhanced Left reverse
plot for [i = 0 : S_blocks / 2 - 1] data index 2 * i using 1:($2 / 1e3):($3 / 1e3):($4 / 1e3) \
         with yerrorbars lt i + 1 dt solid title columnheader(1), \
     for [i = 0 : S_blocks / 2 - 1] data index 2 * i + 1 using 1:($2 / 1e3) \
         with lines lt i + 1 notitle
