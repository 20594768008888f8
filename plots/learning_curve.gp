# A quality or loss against the training step; the band is one standard deviation over replicates.
# Data blocks: label, then lines of x, mean, low, high.
load plots . '/style.gp'
if (logx) set logscale x 10
set autoscale xfixmax
set xtics autofreq rotate by 0
plot for [i = 0:series - 1] data index i using 1:3:4 with filledcurves \
         linecolor rgb color(i) notitle, \
     for [i = 0:series - 1] data index i using 1:2 with linespoints linewidth 1.2 \
         linecolor rgb color(i) dashtype dash(i) pointtype point(i) pointsize (marks ? 0.6 : 0) \
         title columnheader(1)
