package figure

// Colors returns the palette of series, as hex colours: the one of Okabe and Ito
// ("Color Universal Design", 2008), which people with any of the common colour
// blindnesses can tell apart, without its black and with its yellow last, since
// that is faint on white. Series.Color n has the colour n modulo their number;
// later rounds are told apart by dashes.
func Colors() []string {
	return []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442"}
}

// Grey is the colour of Series.Color -1 and of marks: as legible on white as on
// a dark page.
const Grey = "#808080"

// Missing is the colour of a cell without a value.
const Missing = "#BDBDBD"

// Sequential returns the colours of a grid from its worse to its better end, at
// equal distances (matplotlib's viridis, by van der Walt and Smith: even steps
// of lightness, so it survives colour blindness and grey print). Panel.Better
// "low" turns them round.
func Sequential() []string {
	return []string{"#440154", "#482878", "#3E4989", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C", "#FDE725"}
}

// Diverging returns the colours of a grid around 0 (ColorBrewer's RdBu, its blue
// end first): below 0, 0 in the middle, above 0.
func Diverging() []string {
	return []string{"#2166AC", "#67A9CF", "#D1E5F0", "#F7F7F7", "#FDDBC7", "#EF8A62", "#B2182B"}
}
