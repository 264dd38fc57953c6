// Command overnight runs experiments: one study file becomes queued jobs,
// trained agents, committed records, and tables with intervals.
package main

import (
	"os"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
