# A quality by the values of a setting: a group of bars for each value, a bar for each series (a
# second one of the same method is paler); error bars are one standard deviation over replicates.
load plots . '/style.gp'
set xtics ()
set for [i = 1:tick_count] xtics add (word(tick_labels, i) word(tick_places, i) + 0)
if (rotate) set xtics rotate by 25 right
set xrange [-0.6:tick_count - 0.4]
set boxwidth 0.8 / series
at(i) = (i - (series - 1) / 2.0) * 0.8 / series
fill(i) = variant(i) % 2 ? 0.35 : 0.85
set style arrow 1 heads size graph 0.008,90 linewidth 0.8 linecolor rgb '#222222'
plot for [i = 0:series - 1] data index i using ($1 + at(i)):2 with boxes linewidth 0.6 \
         linecolor rgb color(i) fillstyle solid fill(i) title columnheader(1), \
     for [i = 0:series - 1] data index i using ($1 + at(i)):3:(0):($4 - $3) with vectors \
         arrowstyle 1 notitle
