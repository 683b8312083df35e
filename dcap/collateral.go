package dcap

import (
	"errors"
	"fmt"
)

// Collateral is what Intel publishes about a platform, as dcap-qvl writes it in JSON. Nothing in it is verified and
// every member may be hostile. An empty string means that the part is missing.
type Collateral struct {
	PCKCRLIssuerChain     string // PEM; not used: the PCK chain's own CA must have signed the list
	RootCACRL             string // hex of DER, PEM or DER
	PCKCRL                string // hex of DER, PEM or DER
	TCBInfoIssuerChain    string // PEM
	TCBInfo               string // the exact JSON object that is signed
	TCBInfoSignature      string // 128 hex digits: r||s
	QEIdentityIssuerChain string // PEM
	QEIdentity            string // the exact JSON object that is signed
	QEIdentitySignature   string // 128 hex digits: r||s
	PCKCertificateChain   string // PEM; for quotes whose certification data has no chain (types 1 to 4)
}

// part returns the member with this JSON name; nil for unknown names.
func (c *Collateral) part(name string) *string {
	switch name {
	case "pck_crl_issuer_chain":
		return &c.PCKCRLIssuerChain
	case "root_ca_crl":
		return &c.RootCACRL
	case "pck_crl":
		return &c.PCKCRL
	case "tcb_info_issuer_chain":
		return &c.TCBInfoIssuerChain
	case "tcb_info":
		return &c.TCBInfo
	case "tcb_info_signature":
		return &c.TCBInfoSignature
	case "qe_identity_issuer_chain":
		return &c.QEIdentityIssuerChain
	case "qe_identity":
		return &c.QEIdentity
	case "qe_identity_signature":
		return &c.QEIdentitySignature
	case "pck_certificate_chain":
		return &c.PCKCertificateChain
	}
	return nil
}

// size of all members, bytes.
func (c *Collateral) size() (n int) {
	for _, name := range collateralNames {
		n += len(*c.part(name))
	}
	return n
}

var collateralNames = [...]string{
	"pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain", "tcb_info", "tcb_info_signature",
	"qe_identity_issuer_chain", "qe_identity", "qe_identity_signature", "pck_certificate_chain",
}

var errNotCollateral = errors.New("dcap: reading collateral: not dcap-qvl's JSON: an object with members like tcb_info, qe_identity and pck_crl")

// ParseCollateral reads dcap-qvl's JSON. Unknown members are ignored, because nothing decides that is not signed;
// null and absent members are missing parts, which verification reports. Members twice are refused.
func ParseCollateral(json []byte) (*Collateral, error) {
	c, known := &Collateral{}, 0
	err := parseJSON(json, func(s *scanner) error {
		return s.object(func(name []byte) error {
			part := c.part(string(name))
			if part == nil {
				return s.skip()
			}
			known++
			if s.i < len(s.s) && s.s[s.i] == 'n' {
				return s.literal("null")
			}
			if err := s.text(part); err != nil {
				return fmt.Errorf("dcap: reading collateral: %s is not a string", name)
			}
			return nil
		})
	})
	if errors.Is(err, errJSON) || err == nil && known == 0 {
		return nil, errNotCollateral
	}
	return c, err
}

// MarshalJSON writes dcap-qvl's JSON.
func (c *Collateral) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for _, name := range collateralNames {
		value := *c.part(name)
		if name == "pck_certificate_chain" && value == "" {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendString(append(appendString(out, name), ':'), value)
	}
	return append(out, '}'), nil
}

// appendString writes a JSON string.
func appendString(out []byte, s string) []byte {
	const digits = "0123456789abcdef"
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c < 0x20:
			out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
