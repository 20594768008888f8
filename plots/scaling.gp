# Expected efficiency of data-parallel training over ranks, from scripts/scaling.sh: `model` is its
# model.csv, `out` the SVG.
set terminal svg size 900,380 font 'DejaVu Sans,11' background '#ffffff'
set output out
set datafile separator ','
set logscale x 2
set xrange [1.8:70]
set yrange [0:1.05]
set xlabel 'ranks'
set ylabel 'efficiency'
set grid ytics linecolor rgb '#dddddd'
set key bottom left
cases = "'135M prompt' '135M prefix' '135M lora' '135M fine-tune'"
colors = '#4477AA #66CCEE #228833 #CC6677'
of(name) = sprintf("< grep '^%s,' '%s'", name, model)
set multiplot layout 1,2
do for [network = 5:6] {
    set title network == 5 ? '10 GbE (30 us, 1.1 GB/s)' : '100 Gb/s (2 us, 11 GB/s)'
    plot for [i = 1:4] of(word(cases, i)) using 3:network with linespoints pointtype i \
        pointsize 0.8 linecolor rgb word(colors, i) title word(cases, i)
}
unset multiplot
