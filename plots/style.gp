# One look for all figures. Expects `format` (svg, png, pdf) and `out`.
set encoding utf8
if (format eq 'svg') set terminal svg noenhanced size 900,600 font 'DejaVu Sans,15' background '#ffffff'
if (format eq 'png') set terminal pngcairo noenhanced size 900,600 font 'DejaVu Sans,13' background '#ffffff'
if (format eq 'pdf') set terminal pdfcairo noenhanced size 18cm,12cm font 'DejaVu Sans,11'
set output out
set title heading
set xlabel x_label
set ylabel y_label
set border 3 linecolor '#555555'
set tics nomirror out textcolor '#333333'
set grid ytics linetype 1 linewidth 0.5 linecolor '#dddddd'
set key outside bottom center horizontal Left reverse samplen 2.2 spacing 1.25 width 1 height 0.5
set yrange [0:*]
set style fill transparent solid 0.15 noborder
color(i) = word(colors, i + 1)
dash(i) = int(word(dashes, i + 1))
point(i) = int(word(points, i + 1))
baseline(i) = i <= baselines ? word(baseline_values, i) + 0 : NaN
