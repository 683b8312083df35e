// Package evidence holds what Teapot says about itself and asks the hardware to vouch for: statements, the report data
// that binds a statement to a quote, and the Evidence document that carries both.
//
// It trusts nothing: a parsed statement is only well formed. That a TEE said it follows from a quote whose report data
// equals ReportData of the exact bytes (package verify does that). Parse accepts one encoding only, so two readers never
// see two meanings in the same bytes. Pure: no I/O, no clock.
//
//	boot, err := evidence.ParseBoot(e.Statement)
//	if evidence.ReportData(e.Statement) != reportDataOfTheQuote { … }
//
// Byte by byte: docs/formats/statement.md.
package evidence

import (
	"bytes"
	"crypto/sha512"
)

// Tag begins the report data of every Teapot statement, whatever version follows it. Teapot's guest API refuses callers'
// report data that begins with it, so only Teapot itself can make a quote over a statement.
const Tag = "TEAPOT"

// ReportData is what a quote over the statement carries: TEAPOT 00 01, eight zero bytes, SHA-384 of the exact bytes.
func ReportData(statement []byte) [64]byte {
	var rd [64]byte
	copy(rd[:], Tag+"\x00\x01")
	sum := sha512.Sum384(statement)
	copy(rd[16:], sum[:])
	return rd
}

// Tagged reports whether report data is in Teapot's own name space.
func Tagged(reportData []byte) bool { return bytes.HasPrefix(reportData, []byte(Tag)) }
