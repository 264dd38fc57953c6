package natsstore

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"overnight/results"
)

// Marks of a plan: that it was submitted, and that Wanted follows Keep.
const (
	submitted = 1 << iota
	wanted
)

// appendPlan appends all fields of a plan that is Valid, in the order in which
// they are declared but for Wanted. Equal plans have equal forms.
func appendPlan(b []byte, p *results.Plan) []byte {
	b = appendBytes(b, p.Study)
	b = appendBytes(b, p.Identity)
	b = appendVarint(b, int64(p.Engine))
	b = binary.AppendUvarint(b, p.Points)
	b = binary.AppendUvarint(b, p.Trials)
	b = appendStrings(b, p.Metrics)
	b = appendVarint(b, int64(p.Objective))
	b = binary.AppendUvarint(b, uint64(p.Generation))
	b = appendBytes(b, string(p.State))
	b = appendBytes(b, p.Digest)
	b = appendTime(b, p.Created)
	b = appendTime(b, p.Ended)
	b = binary.AppendUvarint(b, uint64(p.Epoch))
	var marks byte
	if p.Submitted {
		marks |= submitted
	}
	if p.Wanted > 0 {
		marks |= wanted
	}
	b = append(b, marks)
	b = appendVarint(b, int64(p.Priority))
	b = appendVarint(b, int64(p.MaxSlots))
	b = appendVarint(b, int64(p.Keep))
	if p.Wanted > 0 {
		b = binary.AppendUvarint(b, p.Wanted)
	}
	b = appendBytes(b, p.Body)
	return appendBytes(b, p.Source)
}

// planSize is the least that a plan takes.
const planSize = 33

func (r *reader) plan() (p results.Plan) {
	p.Study = r.string()
	p.Identity = r.string()
	p.Engine = r.int()
	p.Points = r.uvarint()
	p.Trials = r.uvarint()
	p.Metrics = r.strings()
	p.Objective = r.int()
	p.Generation = r.uint32()
	p.State = results.State(r.string())
	p.Digest = r.string()
	p.Created = r.time()
	p.Ended = r.time()
	p.Epoch = r.uint32()
	marks := r.byte()
	p.Submitted = marks&submitted != 0
	p.Priority = r.int()
	p.MaxSlots = r.int()
	p.Keep = time.Duration(r.varint())
	if marks&wanted != 0 {
		p.Wanted = r.uvarint()
	}
	p.Body = r.bytes()
	p.Source = r.bytes()
	return p
}

// planDigest tells plans apart, for Update.
func planDigest(p *results.Plan) digest { return sha256.Sum256(appendPlan(nil, p)) }

// replacement is a request to update a plan: to put plan in place of the one with
// digest old.
type replacement struct {
	study string
	old   digest
	plan  results.Plan
}

func (c *replacement) encode() []byte {
	b := appendBytes(nil, c.study)
	b = append(b, c.old[:]...)
	return appendPlan(b, &c.plan)
}

func decodeReplacement(b []byte) (c replacement, err error) {
	r := reader{b: b}
	c.study = r.string()
	copy(c.old[:], r.take(sha256.Size))
	c.plan = r.plan()
	return c, r.end()
}

func encodePlans(plans []results.Plan) []byte {
	b := binary.AppendUvarint(nil, uint64(len(plans)))
	for i := range plans {
		b = appendPlan(b, &plans[i])
	}
	return b
}

func decodePlans(b []byte) ([]results.Plan, error) {
	r := reader{b: b}
	var plans []results.Plan
	for range r.count(planSize) {
		plans = append(plans, r.plan())
	}
	return plans, r.end()
}

func decodePlan(b []byte) (results.Plan, error) {
	r := reader{b: b}
	p := r.plan()
	return p, r.end()
}
