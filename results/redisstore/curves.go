package redisstore

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"overnight/results"
)

// curvesSumBytes of the SHA-256 of a record's curves stand in the record: they
// tell equal from different ones, and damaged ones.
const curvesSumBytes = 8

// The first byte of stored curves says how the rest, results.AppendCurves, is
// written.
const (
	curvesPlain = 0
	curvesFlate = 1
)

// storeCurves returns the stored form of curves and its sum. They are compressed
// where that saves an eighth: curves that repeat values do, others are mostly
// random bits. A million records must not each make a compressor: c is used
// again.
func storeCurves(curves []results.Curve, c *compressor) (data []byte, sum [curvesSumBytes]byte) {
	if len(curves) == 0 {
		return nil, sum
	}
	plain := results.AppendCurves([]byte{curvesPlain}, curves)
	digest := sha256.Sum256(plain[1:])
	copy(sum[:], digest[:])
	if packed := c.compress(plain[1:]); packed != nil && len(packed) < len(plain)-len(plain)/8 {
		return packed, sum
	}
	return plain, sum
}

// compressor makes streams of package flate.
type compressor struct {
	w *flate.Writer
	b bytes.Buffer
}

// compress returns data compressed; nil where that is not worth trying.
func (c *compressor) compress(data []byte) []byte {
	if len(data) < 256 {
		return nil
	}
	c.b.Reset()
	c.b.WriteByte(curvesFlate)
	if c.w == nil {
		w, err := flate.NewWriter(&c.b, flate.BestSpeed)
		if err != nil {
			return nil
		}
		c.w = w
	} else {
		c.w.Reset(&c.b)
	}
	if _, err := c.w.Write(data); err != nil {
		return nil
	}
	if err := c.w.Close(); err != nil {
		return nil
	}
	return bytes.Clone(c.b.Bytes())
}

// readCurves reads the stored form of curves, and compares it with its sum.
func readCurves(data string, sum [curvesSumBytes]byte) ([]results.Curve, error) {
	if data == "" {
		return nil, errors.New("its curves are empty")
	}
	plain := []byte(data[1:])
	switch data[0] {
	case curvesPlain:
	case curvesFlate:
		r := flate.NewReader(bytes.NewReader(plain))
		var err error
		if plain, err = io.ReadAll(io.LimitReader(r, results.MaxRecord+1)); err != nil {
			return nil, fmt.Errorf("its curves: %w", err)
		}
	default:
		return nil, fmt.Errorf("its curves have form %d", data[0])
	}
	if digest := sha256.Sum256(plain); string(digest[:curvesSumBytes]) != string(sum[:]) {
		return nil, errors.New("its curves and their sum differ")
	}
	return results.DecodeCurves(plain)
}
