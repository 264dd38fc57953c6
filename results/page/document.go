// Package page writes a study's report as one HTML file that needs no network,
// and holds the drawing code that the dashboard uses too. Start with Document and
// Write.
package page

import "overnight/results/figure"

// Document is what a report says, in the order in which it is read. All of it is
// plain text: Write escapes it.
type Document struct {
	Study    string `json:"study"`
	Question string `json:"question,omitempty"`
	// Answer is what the study found, in sentences with numbers: the first screen.
	Answer []string `json:"answer"`
	// Lead stands beside the answer: the picture that shows it best.
	Lead []figure.Figure `json:"lead,omitempty"`
	// Facts say what ran: trials, arms, seed, digest, engine.
	Facts    []Fact    `json:"facts,omitempty"`
	Sections []Section `json:"sections"`
	// Source is the study file as the user wrote it.
	Source string `json:"source,omitempty"`
	// Made says what wrote the page: program, version, time.
	Made string `json:"made,omitempty"`
}

// Fact is a name and what belongs to it.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Mono  bool   `json:"mono,omitempty"` // a digest or a command
}

// Section is a part of the page.
type Section struct {
	ID      string          `json:"id"` // lower case, digits and dashes
	Title   string          `json:"title"`
	Text    []string        `json:"text,omitempty"` // paragraphs before the figures
	Figures []figure.Figure `json:"figures,omitempty"`
	Tables  []Table         `json:"tables,omitempty"`
}

// Table is a table of texts.
type Table struct {
	ID      string     `json:"id"`
	Caption string     `json:"caption"`
	Columns []Column   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Notes   []string   `json:"notes,omitempty"`
}

// Column is the head of a table's column.
type Column struct {
	Name   string `json:"name"`
	Number bool   `json:"number,omitempty"` // set right-aligned and sortable as a number
}
