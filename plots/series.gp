# SPDX-License-Identifier: MIT
# One series of the history. Block 0: job, value; block 1: levels between steps; block 2: steps.
data = ARG1; output = ARG2; format = ARG3; caption = ARG4
height = 420
load "style.gp"
set title "Value by job, with its levels"
set xlabel "job"
set ylabel "value (ns, instructions, or a ratio)"
set format x "%.0f"
set key outside top center horizontal
plot data index 0 using 1:2 with points lt 1 title "measured", \
     data index 1 using 1:2 with lines lc rgb colours[2] lw 2 dt solid title "level", \
     data index 2 using 1:2 with points pt 4 lc rgb colours[7] ps 1.4 title "step"
