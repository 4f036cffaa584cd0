# SPDX-License-Identifier: MIT
# Underruns of a drained buffer; per panel four blocks: measured with its interval (its title is
# the regime), then three laws fitted on other runs.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
stats data using 1 nooutput name "S"
panels = S_blocks / 4
columns = panels > 2 ? 3 : panels
rows = (panels + columns - 1) / columns
height = 130 + 230 * rows
load "style.gp"
set logscale xy
set format y power
set format x power
set yrange [1e-5 : 2]
set xrange [7 : 2e4]
set key at graph -0.02, 1.12 left noenhanced Left reverse samplen 1 font ",12"
set tics font ",11"
set bmargin 0
set multiplot layout rows, columns margins 0.075, 0.985, 85.0 / height, 1 - 95.0 / height \
    spacing 0.055, 85.0 / height title "Underruns of a drained buffer: counted, and by every law" offset 0, 0.3
# The legend of all panels: words in the lines' colours.
set label 11 "● measured, 95 % interval" at screen 0.075, 1 - 50.0 / height left textcolor rgb colours[7] font ",12"
set label 12 "– – textbook" at screen 0.310, 1 - 50.0 / height left textcolor rgb colours[2] font ",12"
set label 13 "· · · reading of this clock" at screen 0.450, 1 - 50.0 / height left textcolor rgb colours[1] font ",12"
set label 14 "── measured law with fitted tail" at screen 0.700, 1 - 50.0 / height left textcolor rgb colours[3] font ",12"
do for [i = 0 : panels - 1] {
    if (i > 0) { unset label }
    set xlabel font ",12" offset 0, 0.4 "head-room (µs)"
    set ylabel font ",12" offset 1.5, 0 i % columns == 0 ? "underruns per period" : ""
    plot data index 4 * i using ($1 / 1e3):2:3:4 with yerrorbars lc rgb colours[7] pt 7 ps 0.5 dt solid \
             title columnheader(1), \
         data index 4 * i + 1 using ($1 / 1e3):2 with lines lc rgb colours[2] lw 2 dt 2 notitle, \
         data index 4 * i + 2 using ($1 / 1e3):2 with lines lc rgb colours[1] lw 2 dt 3 notitle, \
         data index 4 * i + 3 using ($1 / 1e3):2 with lines lc rgb colours[3] lw 2 dt solid notitle
}
unset multiplot
