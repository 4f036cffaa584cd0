# SPDX-License-Identifier: MIT
# Underruns of a drained buffer; per panel four blocks: measured with its interval (its title is the regime), three laws.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
stats data using 1 nooutput name "S"
panels = S_blocks / 4
columns = panels > 1 ? 2 : 1
rows = (panels + columns - 1) / columns
height = 120 + 270 * rows
load "style.gp"
set logscale y
set format y "10^{%L}"
set yrange [1e-5 : 1.3]
set key top right noenhanced Left reverse
set bmargin 3.6
set multiplot layout rows, columns margins 0.10, 0.98, 0.05 + 55.0 / height, 1 - 60.0 / height \
    spacing 0.09, 90.0 / height title "Underruns of a drained buffer"
do for [i = 0 : panels - 1] {
    if (i > 0) { unset label 1 }
    set xlabel "head-room (µs)"
    set ylabel i % columns == 0 ? "underruns per period" : ""
    plot data index 4 * i using ($1 / 1e3):2:3:4 with yerrorbars lc rgb colours[7] pt 7 ps 0.6 title columnheader(1), \
         data index 4 * i + 1 using ($1 / 1e3):2 with lines lc rgb colours[2] lw 1.8 dt 2 title "textbook", \
         data index 4 * i + 2 using ($1 / 1e3):2 with lines lc rgb colours[1] lw 1.8 dt 3 title "reading of this clock", \
         data index 4 * i + 3 using ($1 / 1e3):2 with lines lc rgb colours[3] lw 1.8 dt solid title "measured law with GPD tail"
}
unset multiplot
