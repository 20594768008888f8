# Draws accuracy-on-verbs.svg from accuracy-on-verbs.dat, in this folder: gnuplot accuracy-on-verbs.gp
# As png or pdf: gnuplot -e "format='pdf'" accuracy-on-verbs.gp
name='accuracy-on-verbs';
if (!exists('format')) format = 'svg'
if (!exists('out')) out = name . '.' . format
if (!exists('data')) data = name . '.dat'
heading='Accuracy on verbs';
x_label='dataset';
y_label='Accuracy (wntopic-verbs)';
range='[0:*]';
colors='#D55E00 #332288 #0072B2 #CC79A7 #E69F00 ';
dashes='1 1 1 1 1 ';
points='11 4 7 13 5 ';
variants='0 0 0 0 0 ';
baseline_values='';
baseline_labels='';
baseline_colors='';
tick_places='0 ';
tick_labels='"wntopic-shared"';
tick_count=1;rotate=0;from_zero=1;
series=5;baselines=0;columns=3;rows=2;
logx=0;logy=0;marks=1;
x_low=0;x_high=0;

# A quality by the values of a setting: a group of bars for each value, a bar for each series (a
# second one of the same method is paler); error bars are one standard deviation over replicates.
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
