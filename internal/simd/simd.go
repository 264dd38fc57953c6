// Package simd says which vector instructions kernels may use. Start with Best.
package simd

import (
	"fmt"
	"os"
	"sync"
)

// Level is a set of vector instructions. A kernel of a level has the bits of the
// plain Go that it stands for.
type Level uint8

// The levels. A machine that has one has those before it.
const (
	Off    Level = iota // plain Go
	AVX2                // 256 bits
	AVX512              // 512 bits: F, DQ, BW and VL
)

func (l Level) String() string { return [...]string{"off", "avx2", "avx512"}[l] }

// Variable names the environment variable that forces a level.
const Variable = "OVERNIGHT_SIMD"

// Best returns the highest level of this machine, or the one that the
// environment variable OVERNIGHT_SIMD asks for. It is read once.
func Best() Level { return best() }

var best = sync.OnceValue(func() Level {
	l, err := Parse(os.Getenv(Variable), Machine())
	if err != nil {
		return l // Check has told the user
	}
	return l
})

// Check returns what is wrong with OVERNIGHT_SIMD.
func Check() error {
	_, err := Parse(os.Getenv(Variable), Machine())
	return err
}

// Parse returns the level that a value of OVERNIGHT_SIMD means on a machine that
// has up to the given one; empty: all of it. With an error it returns Off.
func Parse(value string, machine Level) (Level, error) {
	if value == "" {
		return machine, nil
	}
	for l := Off; l <= AVX512; l++ {
		switch {
		case l.String() != value:
		case l > machine:
			return Off, fmt.Errorf("%s=%s: this machine has %s at most; write that or leave it unset", Variable, value, machine)
		default:
			return l, nil
		}
	}
	return Off, fmt.Errorf("%s=%q is no level; write off, avx2 or avx512, or leave it unset", Variable, value)
}

// Levels returns the levels of this machine, Off first, whatever OVERNIGHT_SIMD
// says: what tests compare.
func Levels() []Level {
	var all []Level
	for l := Off; l <= Machine(); l++ {
		all = append(all, l)
	}
	return all
}
