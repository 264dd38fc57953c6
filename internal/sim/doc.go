// Package sim holds no code of the program, only a test: the real coordinator and
// the real workers, over a store and a queue in memory, in a bubble of
// testing/synctest with its virtual clock, under a seeded schedule of faults.
// Start with TestSim and fault.
//
// A seed decides the study, the workers, the faults with their times and targets,
// and every number that a fault draws. It does not decide in which order the
// runtime runs goroutines that are ready at the same instant of virtual time, so
// that a seed may take another path when it is run again: the runner repeats a
// seed that failed, and drops faults from its list as long as one of several runs
// still fails.
//
//	go test ./internal/sim                                  2,000 seeds
//	go test ./internal/sim -args -seeds 100000              more
//	go test ./internal/sim -run TestSim -args -seed 17 -keep 3,7 -trace
package sim
