package worker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Supervisor and child talk in frames over the child's standard input and
// output: a kind, a length (uvarint) and that many bytes.
//
//	to the child    O  options: how long a trial runs between saves, a uvarint of nanoseconds
//	                P  the study: its stored form
//	                R  run: pairs of uvarints from, to; then 1 for one answer at a time, else 0
//	                C  a checkpoint, for the first trial of the next run; empty: none
//	                S  stop after the trial in hand
//	                I  interrupt at the next episode's end
//	to the parent   H  here: protocol version
//	                r  a record
//	                k  a checkpoint to keep: uvarint trial, state
//	                e  the end of a run: empty, or "interrupted", or why the study can't be run
const (
	frameOptions    = 'O'
	framePlan       = 'P'
	frameRun        = 'R'
	frameCheckpoint = 'C'
	frameStop       = 'S'
	frameInterrupt  = 'I'
	frameHere       = 'H'
	frameRecord     = 'r'
	frameKeep       = 'k'
	frameEnd        = 'e'

	wireVersion = 2
	maxFrame    = 64 << 20
)

func writeFrame(w *bufio.Writer, kind byte, body []byte) error {
	var head [1 + binary.MaxVarintLen64]byte
	head[0] = kind
	n := 1 + binary.PutUvarint(head[1:], uint64(len(body)))
	if _, err := w.Write(head[:n]); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

var errFrame = errors.New("malformed frame")

func readFrame(r *bufio.Reader) (kind byte, body []byte, err error) {
	kind, err = r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, err
	}
	if n > maxFrame {
		return 0, nil, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}
