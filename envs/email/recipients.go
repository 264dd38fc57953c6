package email

import (
	"overnight/internal/fp"
	"overnight/internal/rng"
)

// noMail names the arm that passes a recipient's turn; it follows the subject
// lines, brings nothing and is always allowed.
const noMail = "no mail"

// recipients are a list of people with a history.
type recipients struct {
	number, cap, within int // cap 0: none
	loss, logKeep       float64
	only                []bool // the mask of a recipient who has had enough

	stream rng.Stream
	now    int      // whose turn it is
	who    []uint16 // by recipient: segment x devices + device
	weary  []float64
	mails  []int32
	final  []int32 // send of the last mail
	stamps []int32 // [recipient][cap]: a ring of the sends of mails
}

func (l *recipients) prepare(p *Params, arms int) {
	s := &p.Recipients
	l.number, l.cap, l.within, l.loss = s.Number, 0, s.Within, s.Loss
	if s.Number == 0 {
		return
	}
	l.logKeep = fp.Log(1 - s.Recovery)
	if s.Cap != nil {
		l.cap = *s.Cap
	}
	l.only = resize(l.only, arms+1)
	clear(l.only)
	l.only[arms] = true
	l.who, l.weary = resize(l.who, l.number), resize(l.weary, l.number)
	l.mails, l.final = resize(l.mails, l.number), resize(l.final, l.number)
	l.stamps = resize(l.stamps, l.number*l.cap)
}

// reset draws the list anew: two numbers a recipient, whatever the contexts.
func (l *recipients) reset(key rng.Key, g *grid) {
	if l.number == 0 {
		return
	}
	s := rng.New(key.At(streamList))
	for i := range l.who {
		segment, device := s.Float64(), s.Float64()
		cell := 0
		if g.segments > 1 {
			cell = pick(segment, g.ends)
		}
		if g.devices > 1 {
			cell = cell*g.devices + pick(device, g.deviceEnds)
		}
		l.who[i] = uint16(cell)
	}
	clear(l.weary)
	clear(l.mails)
	l.stream.Seed(key.At(streamRecipient))
}

// next draws whose turn it is.
func (l *recipients) next() { l.now = l.stream.IntN(l.number) }

// weariness is w of the recipient whose turn send t is.
func (l *recipients) weariness(t int) float64 {
	if l.mails[l.now] == 0 {
		return 0
	}
	return float64(l.weary[l.now] * fp.Exp64(float64(float64(t-int(l.final[l.now]))*l.logKeep)))
}

// capped tells whether the cap forbids a mail with send t.
func (l *recipients) capped(t int) bool {
	if l.cap == 0 || int(l.mails[l.now]) < l.cap {
		return false
	}
	earliest := l.stamps[l.now*l.cap+int(l.mails[l.now])%l.cap]
	return t-int(earliest) < l.within
}

// mail keeps that send t is a mail to the recipient whose turn it is.
func (l *recipients) mail(t int) {
	i := l.now
	l.weary[i] = l.weariness(t) + l.loss
	l.final[i] = int32(t)
	if l.cap > 0 {
		l.stamps[i*l.cap+int(l.mails[i])%l.cap] = int32(t)
	}
	l.mails[i]++
}
