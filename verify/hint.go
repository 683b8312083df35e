package verify

import (
	"bytes"
	"encoding/pem"

	"github.com/teapot-tee/teapot/dcap"
)

// ClaimsIntelRoot says whether a quote brings a certificate chain that contains Intel's root. It decides only whether it
// is worth asking Intel for collateral; anybody can put that certificate into a quote.
func ClaimsIntelRoot(quote []byte) bool {
	q, err := dcap.Parse(quote)
	if err != nil {
		return false
	}
	if q.CertType != 5 {
		return q.CertType < 5 // the chain is to be fetched from Intel
	}
	for rest := q.CertData; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return false
		}
		if bytes.Equal(block.Bytes, dcap.IntelRoot()) {
			return true
		}
	}
}
