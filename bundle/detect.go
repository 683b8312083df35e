package bundle

import (
	"bytes"
	"encoding/json"

	"github.com/teapot-tee/teapot/tlog"
)

// Form says what a file is.
type Form string

// Forms that Detect knows.
const (
	FormUnknown   Form = ""
	FormBundle    Form = "bundle"
	FormReceipt   Form = "receipt"
	FormFork      Form = "fork"
	FormEvidence  Form = "evidence"   // evidence.Evidence, JSON "teapot/evidence/v1"
	FormProofFile Form = "tlog-proof" // C2SP tlog-proof
)

// DetectSize is how many bytes of a file Detect needs to see: all of a JSON document, the beginning of anything else.
const DetectSize = tlog.MaxReceiptFile

const evidenceType = "teapot/evidence/v1"

// Detect recognises a file by its content, never by its name. It does not judge it: whatever is not recognised may still be a
// quote.
func Detect(b []byte) Form {
	switch {
	case bytes.HasPrefix(b, []byte(Magic)):
		return FormBundle
	case bytes.HasPrefix(b, []byte("c2sp.org/tlog-proof@v1\n")):
		return FormProofFile
	}
	var head struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(b, &head) != nil {
		return FormUnknown
	}
	switch head.Type {
	case tlog.ReceiptType:
		return FormReceipt
	case tlog.ForkType:
		return FormFork
	case evidenceType:
		return FormEvidence
	}
	return FormUnknown
}
