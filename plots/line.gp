# A quality against a setting of the grid, or the size of the model; the band is one standard
# deviation over replicates. Where x is 0 somewhere, the logarithmic axis is log(1 + x).
load plots . '/style.gp'
x_log = logx && !from_zero && x_low > 0
if (x_log) set logscale x 10
if (logx && !x_log) set nonlinear x via log(1 + x) inverse exp(x) - 1
factor = x_log && x_high > x_low ? (x_high / x_low) ** 0.05 : 1.2
margin = x_high > x_low ? 0.04 * (x_high - x_low) : 0.5
if (x_log) set xrange [x_low / factor : x_high * factor]
if (!logx) set xrange [x_low - margin : x_high + margin]
if (logx && !x_log) set xrange [x_low - 0.1 : x_high * 1.1]
if (tick_count > 0) set xtics ()
set for [i = 1:tick_count] xtics add (word(tick_labels, i) word(tick_places, i) + 0)
if (tick_count == 0) set format x '%g'
plot for [i = 0:series - 1] data index i using 1:3:4 with filledcurves \
         linecolor rgb color(i) notitle, \
     for [i = 0:series - 1] data index i using 1:2 with linespoints linewidth 1.2 \
         linecolor rgb color(i) dashtype dash(i) pointtype point(i) pointsize 0.9 \
         title columnheader(1), \
     for [i = 1:baselines] baseline(i) with lines linewidth 1 \
         linecolor rgb baseline_color(i) dashtype 2 title word(baseline_labels, i)
