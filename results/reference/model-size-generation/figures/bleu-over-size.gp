# Draws bleu-over-size.svg from bleu-over-size.dat, in this folder: gnuplot bleu-over-size.gp
# As png or pdf: gnuplot -e "format='pdf'" bleu-over-size.gp
name='bleu-over-size';
if (!exists('format')) format = 'svg'
if (!exists('out')) out = name . '.' . format
if (!exists('data')) data = name . '.dat'
heading='';
x_label='parameters of the model';
y_label='BLEU';
range='[*:*]';
colors='#D55E00 #0072B2 #CC79A7 #009E73 #E69F00 ';
dashes='1 1 1 1 1 ';
points='11 7 13 9 5 ';
variants='0 0 0 0 0 ';
baseline_values='';
baseline_labels='';
baseline_colors='';
tick_places='1283136 4340736 12649600 ';
tick_labels='"1.3M" "4.3M" "13M"';
tick_count=3;rotate=0;from_zero=0;
series=5;baselines=0;columns=3;rows=2;
logx=1;logy=0;marks=1;
x_low=1283136;x_high=12649600;

# A quality against a setting of the grid, or the size of the model; the band is one standard
# deviation over replicates. Where x is 0 somewhere, the logarithmic axis is log(1 + x).
# One look for all figures: one column of a paper wide (8.5 cm), type of 8 points, the legend below
# the plot. Expects `format` (svg, png, pdf), `out`, and what report/plot.c describes. The script
# beside a figure has it in place of the line that loads it.
set encoding utf8
height = 5.6 + 0.37 * rows + (heading eq '' ? 0 : 0.45) + (rotate ? 1.2 : 0) # cm
if (format eq 'svg') set terminal svg noenhanced size 640,640 * height / 8.5 \
    font 'DejaVu Sans,21' linewidth 1.6 background '#ffffff'
if (format eq 'png') set terminal pngcairo noenhanced size 1000,1000 * height / 8.5 \
    font 'DejaVu Sans,24' linewidth 2.4 pointscale 2.0 background '#ffffff'
if (format eq 'pdf') set terminal pdfcairo noenhanced size 8.5cm,height cm \
    font 'DejaVu Sans,8' linewidth 1 pointscale 0.6
legend_size = format eq 'svg' ? 18 : format eq 'png' ? 21 : 7
set output out
if (heading ne '') set title heading offset 0,-0.6
set tmargin heading eq '' ? 0.6 : 1.6
set xlabel x_label offset 0,0.7
set ylabel y_label offset 1,0
set border 3 linecolor '#555555' linewidth 0.7
set tics nomirror out scale 0.5 textcolor '#333333'
set xtics offset 0,0.3
set grid ytics linetype 1 linewidth 0.4 linecolor '#dddddd'
if (rows > 0) set key outside bottom center horizontal Left reverse maxcols columns \
    samplen 2 spacing 1.05 width 0.3 height 0.2 font ',' . legend_size
if (rows == 0) unset key
eval 'set yrange ' . range
if (logy) set logscale y 10
set style fill transparent solid 0.15 noborder
color(i) = word(colors, i + 1)
dash(i) = int(word(dashes, i + 1))
point(i) = int(word(points, i + 1))
variant(i) = int(word(variants, i + 1))
baseline(i) = i <= baselines ? word(baseline_values, i) + 0 : NaN
baseline_color(i) = i <= baselines ? word(baseline_colors, i) : '#7F7F7F'
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
