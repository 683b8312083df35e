package page

import _ "embed"

// words are the page's words for what the verifier says, by check id and outcome, by field of a quote, and by sentence
// ({} stands for a value): docs/formats/page-verifier.md. The verifier's own sentences are English and stay what they are; a page
// in another language shows its words first and the original beside it. Tests compare the list with the verifier's source.
//
//go:embed words.json
var words string

// Words returns the JSON of all words.
func Words() string { return words }
