# SPDX-License-Identifier: MIT
# Cost against message size. Odd blocks are measured, even ones the fitted segments (or empty).
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
height = 560
load "style.gp"
stats data using 1 nooutput name "S"
stats data using ($2 / 1e3) nooutput name "C"
set title "Round trip against message size, one core"
set xlabel "message size (logarithmic)"
set ylabel "cost per round trip (µs, logarithmic)"
set logscale xy
set logscale x 4
set xtics ("1 B" 1, "4 B" 4, "16 B" 16, "64 B" 64, "256 B" 256, "1 KiB" 1024, "4 KiB" 4096, \
    "16 KiB" 16384, "64 KiB" 65536, "256 KiB" 262144, "1 MiB" 1048576)
set yrange [C_min / 1.4 : C_max * 1.4]
set key inside left top vertical noenhanced Left reverse
plot for [i = 0 : S_blocks / 2 - 1] data index 2 * i using 1:($2 / 1e3):($3 / 1e3):($4 / 1e3) \
         with yerrorbars lt i + 1 dt solid title columnheader(1), \
     for [i = 0 : S_blocks / 2 - 1] data index 2 * i + 1 using 1:($2 / 1e3) \
         with lines lt i + 1 notitle
