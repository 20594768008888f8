# Draws claims.svg from claims.dat, in this folder: gnuplot claims.gp
# As png or pdf: gnuplot -e "format='pdf'" claims.gp
name='claims';
if (!exists('format')) format = 'svg'
if (!exists('out')) out = name . '.' . format
if (!exists('data')) data = name . '.dat'
rows=55;reach=42.32217023;letters=36;
# The board of claims: a row for each, its effect in the claim's direction with a 95 % interval; a
# verdict has a colour and a mark of its own. Expects `format` (svg, png, pdf), `out`, `data`, `rows`,
# `letters` (of the longest claim's name) and `reach`, the largest number on the x axis, which is
# linear near 0 and logarithmic further out.
set encoding utf8
height = 2.2 + 0.42 * rows # cm
if (format eq 'svg') set terminal svg noenhanced size 1280,1280 * height / 17 \
    font 'DejaVu Sans,21' linewidth 1.6 background '#ffffff'
if (format eq 'png') set terminal pngcairo noenhanced size 2000,2000 * height / 17 \
    font 'DejaVu Sans,24' linewidth 2.4 pointscale 2.0 background '#ffffff'
if (format eq 'pdf') set terminal pdfcairo noenhanced size 17cm,height cm \
    font 'DejaVu Sans,8' linewidth 1 pointscale 0.6
set output out
margin = 0.03 + 0.0089 * letters
margin = margin < 0.2 ? 0.2 : margin > 0.6 ? 0.6 : margin
set lmargin at screen margin
set rmargin at screen 0.97
set tmargin at screen 1 - 0.35 / height
set bmargin at screen 1.75 / height
set border 1 linecolor '#555555' linewidth 0.7
set tics nomirror out scale 0.5 textcolor '#333333'
set nonlinear x via asinh(x) inverse sinh(x)
set xrange [-reach * 1.15:reach * 1.15]
set yrange [rows - 0.5:-0.6]
set xtics ("−100" -100, "−30" -30, "−10" -10, "−3" -3, "−1" -1, "0" 0, "1" 1, "3" 3, "10" 10, \
           "30" 30, "100" 100)
set xlabel 'effect, in points of the score: ← against the claim · for the claim →' offset 0,0.4
set grid xtics linetype 1 linewidth 0.4 linecolor '#dddddd'
set arrow 1 from 0, graph 0 to 0, graph 1 nohead back linecolor '#555555' linewidth 0.9
unset ytics
set key outside bottom center horizontal maxrows 1 Left reverse samplen 1.5 width 1 font ',' . \
    (format eq 'svg' ? 18 : format eq 'png' ? 21 : 7)
color(v) = word('#0072B2 #D55E00 #6f6f6f', v + 1)
mark(v) = int(word('7 13 6', v + 1))
name(v) = v == 0 ? 'holds' : v == 1 ? 'fails' : 'undecided'
of(v, x) = $5 == v ? x : NaN
left = -reach * 1.15
plot data using (left):1:($5 == -1 ? strcol(6) : '') with labels left offset screen 0.015 - margin, 0 \
         font 'DejaVu Sans:Bold,' . (format eq 'svg' ? 21 : format eq 'png' ? 24 : 8) notitle, \
     for [v = 0:2] data using (of(v, $2)):1:3:4 with xerrorbars pointtype mark(v) pointsize 1.3 \
         linecolor rgb color(v) linewidth 1.5 notitle, \
     for [v = 0:2] keyentry with points pointtype mark(v) pointsize 1.3 linecolor rgb color(v) \
         title name(v), \
     data using (left):1:($5 >= 0 && $5 < 3 ? strcol(6) : '') with labels right offset -1,0 \
         textcolor rgb '#222222' notitle, \
     data using (left):1:($5 == 3 ? strcol(6) : '') with labels right offset -1,0 \
         textcolor rgb '#8a8a8a' notitle, \
     data using (0):1:($5 == 3 ? 'not testable here' : '') with labels left offset 0.6,0 \
         textcolor rgb '#8a8a8a' notitle
