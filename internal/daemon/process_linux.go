package daemon

import "syscall"

// attributes tie the process to this one, and keep the terminal's interrupt from
// it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
