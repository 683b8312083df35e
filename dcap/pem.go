package dcap

import (
	"bytes"
	"encoding/base64"
)

const (
	pemCertificate = "CERTIFICATE"
	pemCRL         = "X509 CRL"
)

// pemBlocks returns the content of the PEM blocks with the label, at most limit of them. Text outside the boundaries
// is ignored (RFC 7468 section 2; real chains end in NUL); between them only white space and canonical base64 count.
func pemBlocks(text []byte, label string, limit int) ([][]byte, bool) {
	begin, end := []byte("-----BEGIN "+label+"-----"), []byte("-----END "+label+"-----")
	var blocks [][]byte
	for {
		i := bytes.Index(text, begin)
		if i < 0 {
			return blocks, !bytes.Contains(text, end)
		}
		if bytes.Contains(text[:i], end) {
			return nil, false
		}
		text = text[i+len(begin):]
		j := bytes.Index(text, end)
		if j < 0 || len(blocks) == limit {
			return nil, false
		}
		der, ok := decodeBase64(text[:j])
		if !ok {
			return nil, false
		}
		blocks = append(blocks, der)
		text = text[j+len(end):]
	}
}

func decodeBase64(text []byte) ([]byte, bool) {
	packed := make([]byte, 0, len(text))
	for len(text) > 0 { // line by line: a copy per line is cheaper than one per byte
		i := bytes.IndexByte(text, '\n')
		line := text
		if i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		packed = append(packed, bytes.Trim(line, " \t\r")...)
	}
	n, err := base64.StdEncoding.Strict().Decode(packed, packed)
	return packed[:n], err == nil && n > 0
}
