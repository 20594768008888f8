# A quality against a setting of the grid; the band is one standard deviation over seeds.
# A logarithmic axis is log(1 + x), so that a length of 0 has a place.
load plots . '/style.gp'
if (logx) set nonlinear x via log(1 + x) inverse exp(x) - 1
eval 'set xtics (' . ticks . ')'
plot for [i = 0:series - 1] data index i using 1:3:4 with filledcurves \
         linecolor rgb color(i) notitle, \
     for [i = 0:series - 1] data index i using 1:2 with linespoints linewidth 2 \
         linecolor rgb color(i) dashtype dash(i) pointtype point(i) pointsize 1.1 \
         title columnheader(1), \
     for [i = 1:baselines] baseline(i) with lines linewidth 1.5 \
         linecolor rgb '#7F7F7F' dashtype 2 title word(baseline_labels, i)
