# How a policy's shares follow effectiveness: for each channel the correlation of
# the two and the mean share.
#   overnight export quickstart --what steps --trials 9 --episodes 20 | awk -F, -f examples/tools/follow.awk
NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; nch = split("email social search", ch, " "); next }
{
	for (k = 1; k <= nch; k++) {
		e = col["effectiveness." ch[k]]; s = col["share." ch[k]]
		x = $e; y = $s
		n[k]++; sx[k] += x; sy[k] += y; sxx[k] += x * x; syy[k] += y * y; sxy[k] += x * y
	}
}
END {
	for (k = 1; k <= nch; k++) {
		d = (sxx[k] - sx[k] * sx[k] / n[k]) * (syy[k] - sy[k] * sy[k] / n[k])
		r = d > 0 ? (sxy[k] - sx[k] * sy[k] / n[k]) / sqrt(d) : 0
		printf "%s %.2f (mean share %.3f)  ", ch[k], r, sy[k] / n[k]
	}
	print ""
}
