# The cost of a token against a setting, relative to the setting's smallest value; the band is the
# range of the repetitions. Written by src/bench/figure.c, which gives data, heading, x_label,
# series and logx.
columns = 2
rows = (series + 1) / 2
rotate = 0
baselines = 0
logy = 0
range = '[0:*]'
y_label = 'time per token, relative'
colors = '#4477AA #66CCEE #CC6677 #EE99AA #228833 #CCBB44 #AA3377 #777777'
dashes = '1 2 1 2 1 2 1 2'
points = '7 6 5 4 9 8 13 12'
variants = '0 0 0 0 0 0 0 0'
load plots . '/style.gp'
if (logx) set logscale x 2
look(i) = i % 8
plot for [i = 0:series - 1] data index i using 1:3:4 with filledcurves \
         linecolor rgb color(look(i)) notitle, \
     for [i = 0:series - 1] data index i using 1:2 with linespoints linewidth 1.2 \
         linecolor rgb color(look(i)) dashtype dash(look(i)) pointtype point(look(i)) \
         pointsize 0.9 title columnheader(1)
