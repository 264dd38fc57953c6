package jobs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"strings"
)

// MaxJobBytes bounds an encoded job with its seal; nothing longer is read.
const MaxJobBytes = 1024

// Version 1 of a job on the wire, in this order:
//
//	magic       4 bytes: "OVJ" and the version, 1
//	engine      uvarint, 1 to 2^31-1
//	generation  uvarint, below 2^32
//	epoch       uvarint, below 2^32
//	study       1 byte of length, 1 to 100, and ASCII
//	id          1 byte of length, 1 to 100, and visible ASCII
//	ranges      uvarint, at least 1; then for each of them
//	  gap         uvarint: From minus the To before it; From for the first
//	  length      uvarint: To minus From, at least 1
//	checksum    4 bytes, little endian: CRC-32C of everything before it
//
// An uvarint is the shortest LEB128 form of an unsigned integer
// (encoding/binary). So each job has one encoding and each encoding one job, and
// ranges that are empty, overlap or descend can't be written.
const (
	jobMagic    = "OVJ\x01"
	maxJobName  = 100 // bytes of study and of id
	maxJobHead  = sealSize + len(jobMagic) + 3*5 + 2*(1+maxJobName) + 2 + jobChecksum
	jobChecksum = 4
)

// Encode returns j's form on the wire. It refuses what DecodeJob would refuse:
// names that are no names, no ranges, ranges that are empty or not in ascending
// order, and more ranges than Fit allows.
func (j Job) Encode() ([]byte, error) {
	if err := j.check(); err != nil {
		return nil, fmt.Errorf("encode job %q: %w", j.ID, err)
	}
	b := make([]byte, 0, 128)
	b = append(b, jobMagic...)
	b = binary.AppendUvarint(b, uint64(j.Engine))
	b = binary.AppendUvarint(b, uint64(j.Generation))
	b = binary.AppendUvarint(b, uint64(j.Epoch))
	b = append(append(b, byte(len(j.Study))), j.Study...)
	b = append(append(b, byte(len(j.ID))), j.ID...)
	b = binary.AppendUvarint(b, uint64(len(j.Trials)))
	var to uint64
	for _, r := range j.Trials {
		b = binary.AppendUvarint(b, r.From-to)
		b = binary.AppendUvarint(b, r.To-r.From)
		to = r.To
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b)), nil
}

// Fit returns how many of the first ranges fit into one job, whatever its names
// and with a seal: all of them, or at least 35. Ranges that lie close together take fewer bytes,
// so that several hundred may fit.
func Fit(ranges []Range) int {
	size := maxJobHead
	var to uint64
	for i, r := range ranges {
		size += uvarintLen(r.From-to) + uvarintLen(r.To-r.From)
		if size > MaxJobBytes {
			return i
		}
		to = r.To
	}
	return len(ranges)
}

// DecodeJob reads what Encode wrote. It refuses everything else: longer
// messages, other versions, flipped bits, bytes left over, numbers out of range
// or not in their shortest form.
func DecodeJob(b []byte) (Job, error) {
	j, err := decodeJob(b)
	if err != nil {
		return Job{}, fmt.Errorf("decode job of %d bytes: %w", len(b), err)
	}
	return j, nil
}

func decodeJob(b []byte) (Job, error) {
	if len(b) > MaxJobBytes {
		return Job{}, fmt.Errorf("longer than %d bytes", MaxJobBytes)
	}
	n := len(jobMagic)
	if len(b) >= n && string(b[:n-1]) == sealMagic[:n-1] {
		return Job{}, errors.New("it is signed, and this process was told --unsigned")
	}
	if len(b) < n+jobChecksum || string(b[:n-1]) != jobMagic[:n-1] {
		return Job{}, errors.New("not a job")
	}
	if b[n-1] != jobMagic[n-1] {
		return Job{}, fmt.Errorf("version %d, but this build reads version %d", b[n-1], jobMagic[n-1])
	}
	body, sum := b[:len(b)-jobChecksum], b[len(b)-jobChecksum:]
	if checksum(body) != binary.LittleEndian.Uint32(sum) {
		return Job{}, errors.New("checksum does not match: the message was altered")
	}

	r := jobReader{b: body[n:]}
	var j Job
	j.Engine = int(r.uvarint("engine", math.MaxInt32))
	j.Generation = uint32(r.uvarint("generation", math.MaxUint32))
	j.Epoch = uint32(r.uvarint("epoch", math.MaxUint32))
	j.Study = r.name("study")
	j.ID = r.name("id")
	j.Trials = make([]Range, r.uvarint("number of ranges", uint64(len(r.b)/2)))
	var to uint64
	for i := range j.Trials {
		from := to + r.uvarint("gap between ranges", math.MaxUint64-to)
		to = from + r.uvarint("length of a range", math.MaxUint64-from)
		j.Trials[i] = Range{From: from, To: to}
	}
	switch {
	case r.err != nil:
		return Job{}, r.err
	case len(r.b) > 0:
		return Job{}, fmt.Errorf("%d bytes left over", len(r.b))
	}
	if err := j.check(); err != nil {
		return Job{}, err
	}
	return j, nil
}

// check tells what in j can't stand in a job.
func (j *Job) check() error {
	switch {
	case j.Engine < 1 || j.Engine > math.MaxInt32:
		return fmt.Errorf("engine %d is not between 1 and %d", j.Engine, math.MaxInt32)
	case !isStudyName(j.Study):
		return fmt.Errorf("%q is not the name of a study", j.Study)
	case !isJobID(j.ID):
		return fmt.Errorf("id %q is not 1 to %d visible ASCII characters", j.ID, maxJobName)
	case len(j.Trials) == 0:
		return errors.New("no trials")
	}
	var to uint64
	for _, r := range j.Trials {
		if r.From >= r.To {
			return fmt.Errorf("range [%d, %d) is empty", r.From, r.To)
		}
		if r.From < to {
			return fmt.Errorf("range [%d, %d) begins before the one before it ends (%d)", r.From, r.To, to)
		}
		to = r.To
	}
	if n := Fit(j.Trials); n < len(j.Trials) {
		return fmt.Errorf("%d ranges, of which %d fit: split the job", len(j.Trials), n)
	}
	return nil
}

// isStudyName tells whether s is a study's name: checkName's, or that and "@2",
// "@3", ... for a changed study under an old name.
func isStudyName(s string) bool {
	name, version, versioned := strings.Cut(s, "@")
	if versioned {
		n, err := strconv.ParseUint(version, 10, 32)
		if err != nil || n < 2 || version != strconv.FormatUint(n, 10) {
			return false
		}
	}
	return checkName(name) == "" && len(s) <= maxJobName
}

// isJobID keeps identifiers usable in message headers.
func isJobID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxJobName
}

// jobReader reads fields off the front of b until the first error; from then on
// it returns zeros.
type jobReader struct {
	b   []byte
	err error
}

func (r *jobReader) uvarint(what string, most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b)
	switch {
	case n <= 0:
		r.err = fmt.Errorf("%s is cut off or too large", what)
	case n > 1 && r.b[n-1] == 0:
		r.err = fmt.Errorf("%s is not in its shortest form", what)
	case v > most:
		r.err = fmt.Errorf("%s is %d, at most %d is possible", what, v, most)
	default:
		r.b = r.b[n:]
		return v
	}
	return 0
}

func (r *jobReader) name(what string) string {
	if r.err != nil {
		return ""
	}
	if len(r.b) == 0 || len(r.b)-1 < int(r.b[0]) {
		r.err = fmt.Errorf("%s is cut off", what)
		return ""
	}
	n := 1 + int(r.b[0])
	s := string(r.b[1:n])
	r.b = r.b[n:]
	return s
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}
