package pki

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Identity is the content of an enclave identity document, version 2.
type Identity struct {
	ID             string // "QE", "TD_QE"
	Version        int
	Issued, Next   time.Time
	Evaluation     int
	MiscSelect     [4]byte
	MiscMask       [4]byte
	Attributes     [16]byte
	AttributesMask [16]byte
	MRSigner       [32]byte
	ProdID         uint16
	Levels         []SVNLevel
}

// JSON returns the exact bytes to sign: the inner object, compact, in Intel's order.
func (i Identity) JSON() []byte {
	up := func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
	return fmt.Appendf(nil, `{"id":%q,"version":%d,"issueDate":%q,"nextUpdate":%q,"tcbEvaluationDataNumber":%d,`+
		`"miscselect":%q,"miscselectMask":%q,"attributes":%q,"attributesMask":%q,"mrsigner":%q,"isvprodid":%d,"tcbLevels":%s}`,
		i.ID, i.Version, stamp(i.Issued), stamp(i.Next), i.Evaluation, up(i.MiscSelect[:]), up(i.MiscMask[:]),
		up(i.Attributes[:]), up(i.AttributesMask[:]), up(i.MRSigner[:]), i.ProdID, svnLevels(i.Levels))
}
