package tree

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"overnight/internal/param"
)

// plain gives a scalar without quotes its meaning. bad is set, with What and
// Instead alone, where readers of YAML disagree about it or a number can't hold
// it.
func plain(text string) (v param.Value, bad *Error) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil, nil
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
		return text, &Error{What: text + " is not a finite number", Instead: "write a finite number"}
	}
	if c := text[0]; (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
		return text, nil
	}
	if isDecimal(text) {
		return decimal(text)
	}
	return text, oddNumber(text)
}

// isDecimal tells whether text is an optional sign, digits with at most one
// point among them, and an optional exponent.
func isDecimal(text string) bool {
	s := strings.TrimLeft(text, "+-")
	if len(text)-len(s) > 1 {
		return false
	}
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if !digits(exponent) {
			return false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return digits(whole+fraction) && (whole == "" || digits(whole)) && (fraction == "" || digits(fraction))
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// decimal reads what isDecimal accepts.
func decimal(text string) (param.Value, *Error) {
	sign, s := "", text
	if s[0] == '-' || s[0] == '+' {
		sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		trimmed := strings.TrimLeft(s, "0")
		if trimmed == "" || trimmed[0] < '0' || trimmed[0] > '9' {
			trimmed = "0" + trimmed
		}
		return text, &Error{
			What:    text + " begins with a zero, which some readers take for octal",
			Instead: fmt.Sprintf("write %s%s or %q", sign, trimmed, text),
		}
	}
	if strings.Trim(s, "0123456789") == "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return text, &Error{
				What:    Shorten(text, 40) + " is beyond the whole numbers that 64 bits hold",
				Instead: "write it with a point or exponent, such as 1e20, or in quotes if it is a text",
			}
		}
		return n, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || math.IsInf(x, 0):
		return text, &Error{What: Shorten(text, 40) + " is beyond the largest number, about 1.8e308", Instead: "write a smaller number"}
	case err != nil:
		return text, nil
	case x == 0 && strings.ContainsAny(strings.FieldsFunc(s, func(r rune) bool { return r == 'e' || r == 'E' })[0], "123456789"):
		return text, &Error{What: Shorten(text, 40) + " is too small for a number", Instead: "write 0, or at least 1e-307"}
	}
	return x + 0, nil // -0 + 0 is 0
}

// oddNumber recognises what other readers of YAML take for numbers.
func oddNumber(text string) *Error {
	s := strings.TrimLeft(text, "+-")
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign = "-"
	}
	if len(s) > 2 && s[0] == '0' && strings.ContainsRune("xXoObB", rune(s[1])) {
		if n, err := strconv.ParseUint(s, 0, 64); err == nil {
			return &Error{
				What:    fmt.Sprintf("%s is not a decimal number", text),
				Instead: fmt.Sprintf("write %s%d or %q", sign, n, text),
			}
		}
	}
	if plain := strings.ReplaceAll(text, "_", ""); plain != text && isDecimal(plain) && s[0] != '_' {
		return &Error{What: text + " has _ between its digits", Instead: fmt.Sprintf("write %s or %q", plain, text)}
	}
	return nil
}
