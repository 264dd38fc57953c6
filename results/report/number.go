package report

import (
	"math"
	"strconv"
	"strings"
)

// level is the confidence of every interval in tables.
const level = 0.95

// none stands in text where there is no number.
const none = "-"

// format is how numbers of one row are written: the digits that its interval
// supports.
type format struct {
	decimals int
	digits   int  // significant ones, where exponent is true or decimals is below 0
	exponent bool // 1.23e+12
}

// formatFor chooses two significant digits of an interval's half-width, since
// more of the value would be noise; four significant digits of the value where
// there is no interval.
func formatFor(value, half float64) format {
	size := magnitude(value, 4)
	if !(half > 0) || math.IsInf(half, 0) {
		return format{decimals: -1, digits: 4, exponent: size >= 9 || size < -5}
	}
	places := 1 - magnitude(half, 2)
	if size >= 9 || size < -5 && places > 7 {
		return format{digits: min(max(size+places+1, 2), 15), exponent: true}
	}
	return format{decimals: min(max(places, 0), 9)}
}

// magnitude returns the power of ten of a number's first digit once it is
// rounded to so many, 0 of 0 and of what is not finite.
func magnitude(v float64, digits int) int {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	text := strconv.FormatFloat(math.Abs(v), 'e', digits-1, 64)
	n, _ := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	return n
}

// text writes a number, "-" for NaN.
func (f format) text(v float64) string {
	switch {
	case math.IsNaN(v):
		return none
	case math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case v == 0 && f.decimals < 0:
		return "0"
	case math.Abs(v) >= 1e15 && !f.exponent: // a row's other numbers are small
		return strconv.FormatFloat(v, 'e', 3, 64)
	case f.exponent:
		return strconv.FormatFloat(v, 'e', max(f.digits-1, 0), 64)
	case f.decimals >= 0:
		return unsigned(strconv.FormatFloat(v, 'f', f.decimals, 64))
	}
	s := strconv.FormatFloat(v, 'f', max(f.digits-1-magnitude(v, f.digits), 0), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return unsigned(s)
}

// signed is text with a sign also before positive numbers.
func (f format) signed(v float64) string {
	s := f.text(v)
	if v > 0 && s != none && strings.Trim(s, "0.") != "" {
		return "+" + s
	}
	return s
}

// unsigned takes the sign off a zero.
func unsigned(s string) string {
	if strings.HasPrefix(s, "-") && strings.Trim(s, "-0.") == "" {
		return s[1:]
	}
	return s
}

// percent writes a share: whole percents, "<1 %" below one; an estimate below 0
// is 0.
func percent(share float64) string {
	switch {
	case math.IsNaN(share):
		return none
	case share <= 0:
		return "0 %"
	case share < 0.005:
		return "<1 %"
	}
	return strconv.FormatFloat(100*share, 'f', 0, 64) + " %"
}

// percentUp writes an upper bound of a share with two significant digits,
// rounded up.
func percentUp(share float64) string {
	places := math.Pow(10, float64(1-magnitude(100*share, 2)))
	up := math.Ceil(100*share*places-1e-9) / places
	return strconv.FormatFloat(min(up, 100), 'f', -1, 64) + " %"
}
