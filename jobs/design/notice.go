package design

import _ "embed"

//go:embed joe-kuo.LICENSE
var notice string

// Notice returns the licence of the direction numbers of Joe and Kuo, which asks
// to be shown wherever they are used.
func Notice() string { return notice }
