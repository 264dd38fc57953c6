package jobs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseBytes reads a size such as 512MB or 1.5 GiB, at least one byte.
func ParseBytes(s string) (uint64, error) {
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := sizeUnits()[strings.ToLower(strings.TrimSpace(s[len(number):]))]
	x, err := strconv.ParseFloat(number, 64)
	if bytes := math.Floor(x * unit); err == nil && bytes >= 1 && bytes <= 1<<53 {
		return uint64(bytes), nil
	}
	return 0, fmt.Errorf("%q is no size: write a number with a unit, such as 512MB or 2GiB", s)
}

// sizeUnits are powers of ten and of two, in bytes.
func sizeUnits() map[string]float64 {
	return map[string]float64{
		"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	}
}
