package dcap

import (
	"bytes"
	"encoding/base64"
)

const (
	pemCertificate = "CERTIFICATE"
	pemCRL         = "X509 CRL"
)

// pemBlocks returns the content of the PEM blocks with the label, at most limit of them. Before and between blocks
// there may be explanatory text (RFC 7468 section 2), after the last one only line ends and NUL, as real chains have;
// inside, only white space and canonical base64.
func pemBlocks(text []byte, label string, limit int) ([][]byte, bool) {
	begin, end := []byte("-----BEGIN "+label+"-----"), []byte("-----END "+label+"-----")
	var blocks [][]byte
	for {
		i := bytes.Index(text, begin)
		if i < 0 {
			return blocks, len(bytes.Trim(text, "\r\n\x00")) == 0
		}
		if !explanatory(text[:i], end) {
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

// explanatory says that text is printable ASCII and no half of a block.
func explanatory(text, end []byte) bool {
	for _, c := range text {
		if c > '~' || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return !bytes.Contains(text, end)
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
