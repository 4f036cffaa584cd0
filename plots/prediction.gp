# SPDX-License-Identifier: MIT
# Prediction over measurement against the measurement. Per formula two blocks, the textbook and the
# stronger models; column 7 is the panel: 0 times (ns), 1 probabilities, 2 anything else.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
height = 600
load "style.gp"
stats data using 7 nooutput name "P"
stats data using 1 nooutput name "S"
blocks = P_blocks
lowest = 0.03; highest = 30
inside(x) = x < lowest ? lowest * 1.06 : x > highest ? highest / 1.06 : x
array names[3] = ["measured time (µs)", "measured probability", "measured bytes per message"]
array scale[3] = [1e3, 1, 1]
panels = P_max + 1
set logscale xy
set format x power
set format y "%g"
set yrange [lowest : highest]
set ytics (0.03, 0.1, 0.3, "0.5" 0.5, 1, 2, 3, 10, 30)
set bmargin 0
set errorbars small
set multiplot layout 1, panels margins 0.09, 0.98, 0.30, 0.90 spacing 0.06 \
    title "Prediction over measurement on held-out cells; points at the edge lie beyond it"
colour(i) = colours[1 + (i / 2) % 7]
point(i) = i % 2 == 0 ? 6 : 7
do for [p = 0 : panels - 1] {
    if (p > 0) { unset label 1 }
    set ylabel p == 0 ? "predicted / measured, 95 % intervals" : ""
    set xlabel names[p + 1]
    plot 1 with lines lc rgb "#606060" lw 1.2 dt solid notitle, \
         for [i = 0 : blocks - 1] data index i \
             using (column(7) == p ? $1 / scale[p + 1] : NaN):(inside($4)):($2 / scale[p + 1]):($3 / scale[p + 1]):(inside($5)):(inside($6)) \
             with xyerrorbars lc rgb colour(i) lw 0.4 pt 0 dt solid notitle, \
         for [i = 0 : blocks - 1] data index i \
             using (column(7) == p ? $1 / scale[p + 1] : NaN):(inside($4)) \
             with points lc rgb colour(i) lw 1.4 pt point(i) ps 0.9 notitle
}
# The key has the whole width: a plot without axes, its points outside.
unset border; unset tics; unset xlabel; unset ylabel; unset logscale; unset label
set lmargin at screen 0.05; set rmargin at screen 0.98
set bmargin at screen 0.05; set tmargin at screen 0.19
set key center center horizontal noenhanced Left reverse
plot [0:1] [0:1] for [i = 0 : blocks - 1] data index i using (2):(2) \
    with points lc rgb colour(i) lw 1.4 pt point(i) ps 1.1 title columnheader(1)
unset multiplot
