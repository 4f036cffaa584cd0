# SPDX-License-Identifier: MIT
# What all figures share. A figure is run in this folder as
#   gnuplot -c FIGURE.gp DATA OUTPUT FORMAT CAPTION
# with FORMAT svg, png or dumb (text for a terminal; OUTPUT is then ignored).
# Before loading this it sets: data, output, format, caption, height (pixels).

if (!exists("height")) height = 480
if (format eq "svg") set terminal svg size 860, height font "sans-serif,14" background "white"
if (format eq "png") set terminal pngcairo size 1290, 1.5 * height font "sans-serif,15" background "white"
if (format eq "dumb") set terminal dumb size 110, 32 * (height > 480 ? height : 480) / 480 noenhanced
if (format ne "dumb") set output output

# Okabe and Ito's colours, told apart with every kind of colour vision; in print
# the point types and dashes tell the series apart as well.
array colours[7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
array points[7] = [7, 5, 9, 13, 11, 4, 6]
do for [i = 1:7] { set linetype i lc rgb colours[i] lw 1.6 pt points[i] ps 0.8 dt i }
set linetype cycle 7

set encoding utf8
set tics nomirror out
set border 3 lc rgb "#404040"
if (format ne "dumb") set grid xtics ytics lc rgb "#c4c4c4" lw 0.6 dt solid
set key samplen 2 spacing 1.1
# How powers of ten are written on the axes.
power = format eq "dumb" ? "1e%L" : "10^{%L}"
set datafile missing "NaN"
set label 1 noenhanced caption at screen 0.01, 0.015 left font ",10" textcolor rgb "#404040"
set bmargin 5.5
set rmargin 5
