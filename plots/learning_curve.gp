# A quality or loss against the training step; the band is one standard deviation over seeds.
# Data blocks: label, then lines of x, mean, low, high.
load plots . '/style.gp'
set autoscale xfixmax
plot for [i = 0:series - 1] data index i using 1:3:4 with filledcurves \
         linecolor rgb color(i) notitle, \
     for [i = 0:series - 1] data index i using 1:2 with linespoints linewidth 2 \
         linecolor rgb color(i) dashtype dash(i) pointtype point(i) pointsize (marks ? 0.7 : 0) \
         title columnheader(1)
