package dcap

// qeIdentity is an enclave identity document of version 2 (Intel PCS API, "Get Quoting Enclave Identity").
type qeIdentity struct {
	id             string // "QE", "TD_QE", "QVE"
	issued         int64  // Unix seconds
	next           int64
	evaluation     uint64
	miscSelect     [4]byte // report byte order
	miscMask       [4]byte
	attributes     [16]byte
	attributesMask [16]byte
	mrSigner       [32]byte
	prodID         uint64
	levels         []svnLevel // sorted, highest first
}

// parseIdentity reads the exact inner object.
func parseIdentity(text string) (*qeIdentity, bool) {
	q := &qeIdentity{}
	var have fields
	var version uint64
	err := parseJSON([]byte(text), func(s *scanner) error {
		return s.object(func(name []byte) (err error) {
			switch string(name) {
			case "id":
				err = s.text(&q.id)
				have.got(0)
			case "version":
				version, err = s.number(2)
				have.got(1)
			case "issueDate":
				err = s.date(&q.issued)
				have.got(2)
			case "nextUpdate":
				err = s.date(&q.next)
				have.got(3)
			case "tcbEvaluationDataNumber":
				q.evaluation, err = s.number(1<<32 - 1)
				have.got(4)
			case "miscselect":
				err = s.hex(q.miscSelect[:])
				have.got(5)
			case "miscselectMask":
				err = s.hex(q.miscMask[:])
				have.got(6)
			case "attributes":
				err = s.hex(q.attributes[:])
				have.got(7)
			case "attributesMask":
				err = s.hex(q.attributesMask[:])
				have.got(8)
			case "mrsigner":
				err = s.hex(q.mrSigner[:])
				have.got(9)
			case "isvprodid":
				q.prodID, err = s.number(1<<32 - 1)
				have.got(10)
			case "tcbLevels":
				err = parseSVNLevels(s, &q.levels, svnLevelKind{allowed: Status.component, dates: true})
				have.got(11)
			default:
				err = s.skip()
			}
			return err
		})
	})
	known := q.id == "QE" || q.id == "TD_QE" || q.id == "QVE"
	return q, err == nil && have.all(12) && version == 2 && known
}

// matches compares a QE report with the identity and says in one sentence what differs; "" means nothing.
// The identity's attributes are taken unmasked, as Intel does: stray bits outside its own mask never match.
func (q *qeIdentity) matches(r *EnclaveReport) string {
	for i := range r.MiscSelect {
		if r.MiscSelect[i]&q.miscMask[i] != q.miscSelect[i] {
			return "MISCSELECT of the QE is not the identity's"
		}
	}
	for i := range r.Attributes {
		if r.Attributes[i]&q.attributesMask[i] != q.attributes[i] {
			return "ATTRIBUTES of the QE are not the identity's"
		}
	}
	switch {
	case r.Debug():
		return "the QE is a debug enclave" // also where the mask does not cover the bit
	case r.MRSigner != q.mrSigner:
		return "MRSIGNER of the QE is not the identity's"
	case uint64(r.ProdID) != q.prodID:
		return "ISVPRODID of the QE is not the identity's"
	}
	return ""
}
