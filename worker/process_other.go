//go:build !linux

package worker

import (
	"bytes"
	"os/exec"
	"strconv"
)

// setDeathSignal does nothing here: a child ends when its input closes.
func setDeathSignal(*exec.Cmd) {}

// memory returns the resident bytes of the child, 0 where ps can't tell.
func (p *process) memory() uint64 {
	b, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(p.cmd.Process.Pid)).Output()
	if err != nil {
		return 0
	}
	kb, err := strconv.ParseUint(string(bytes.TrimSpace(b)), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
