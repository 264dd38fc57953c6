package jobs

// Sample says where a point of a sampled design comes from; analyses of designs
// need it.
type Sample struct {
	Kind    string // of the sampled part: "saltelli", "morris", ...
	Row     uint64 // of the part
	Factors []int  // indices of Study.Factors that the part draws for this arm, in the order of its columns
	Stratum uint64 // tells the combinations of the other parts apart: within one, rows are one sample
}
