# A quality against the number of trained parameters; bars are one standard deviation over
# replicates. What trains nothing has no place on a logarithmic axis and is a dashed line.
load plots . '/style.gp'
if (logx) set logscale x 10
set format x '%.0s%c'
plot for [i = 0:series - 1] data index i using 1:($3 < $4 ? $2 : NaN):3:4 with yerrorbars \
         linewidth 1 linecolor rgb color(i) pointtype 0 notitle, \
     for [i = 0:series - 1] data index i using 1:2 with linespoints linewidth 1 \
         linecolor rgb color(i) dashtype dash(i) pointtype point(i) pointsize 1.1 \
         title columnheader(1), \
     for [i = 1:baselines] baseline(i) with lines linewidth 1 \
         linecolor rgb baseline_color(i) dashtype 2 title word(baseline_labels, i)
