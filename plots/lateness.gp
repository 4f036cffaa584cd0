# SPDX-License-Identifier: MIT
# Lateness of periodic wake-ups; per panel three blocks: measured (its title is the regime), exponential law, fitted tail.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
stats data using 1 nooutput name "S"
panels = S_blocks / 3
columns = panels > 1 ? 2 : 1
rows = (panels + columns - 1) / columns
height = 120 + 270 * rows
load "style.gp"
set logscale xy
set format y "10^{%L}"
set yrange [1e-5 : 1.3]
set key bottom left noenhanced Left reverse
set bmargin 3.6
set multiplot layout rows, columns margins 0.10, 0.98, 0.05 + 55.0 / height, 1 - 60.0 / height \
    spacing 0.09, 90.0 / height title "Lateness of periodic wake-ups, beyond the least"
do for [i = 0 : panels - 1] {
    if (i > 0) { unset label 1 }
    set xlabel "lateness beyond the least (µs)"
    set ylabel i % columns == 0 ? "share that is later" : ""
    plot data index 3 * i using ($1 / 1e3):2 with lines lc rgb colours[1] lw 2.2 dt solid title columnheader(1), \
         data index 3 * i + 1 using ($1 / 1e3):2 with lines lc rgb colours[2] lw 1.6 dt 2 title "exponential with its mean", \
         data index 3 * i + 2 using ($1 / 1e3):2 with lines lc rgb colours[3] lw 1.8 dt 4 title "fitted tail (GPD)"
}
unset multiplot
