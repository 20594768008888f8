# softprompt against PEFT: how many times faster, or smaller in memory. Error bars are the range over
# the rounds, lines the targets. tests/peers/bench_peft.py gives plots, data, out, series,
# tick_labels and targets.
format = 'png'
columns = 2
rows = (series + 1) / 2
rotate = 0
baselines = 0
logy = 0
range = '[0:*]'
heading = ''
x_label = ''
y_label = 'times PEFT'
colors = '#4477AA #66CCEE #CC6677 #EE99AA'
dashes = '1 1 1 1'
points = '7 6 5 4'
variants = '0 0 0 0'
load plots . '/style.gp'
set xtics ()
set for [i = 1:words(tick_labels)] xtics add (word(tick_labels, i) i - 1)
set xrange [-0.6:words(tick_labels) - 0.4]
set boxwidth 0.8 / series
at(i) = (i - (series - 1) / 2.0) * 0.8 / series
set style arrow 1 heads size graph 0.008,90 linewidth 0.8 linecolor rgb '#222222'
set for [i = 1:words(targets)] arrow from i - 1.45, word(targets, i) + 0 \
    to i - 0.55, word(targets, i) + 0 nohead linewidth 1 dashtype 2 linecolor rgb '#222222' front
plot for [i = 0:series - 1] data index i using ($1 + at(i)):2 with boxes linewidth 0.6 \
         linecolor rgb color(i) fillstyle solid 0.85 title columnheader(1), \
     for [i = 0:series - 1] data index i using ($1 + at(i)):3:(0):($4 - $3) with vectors \
         arrowstyle 1 notitle
