package dcap

import (
	"errors"
	"fmt"
	"time"
)

// EvaluationNumbers is Intel's list of TCB evaluation data numbers that its service still serves (PCS API v4, "Get TCB
// Evaluation Data Numbers").
type EvaluationNumbers struct {
	TEE        TEE
	Issued     time.Time
	NextUpdate time.Time
	Numbers    []EvaluationNumber // in the order of the document
}

// EvaluationNumber is one of them: a set of TCB levels, and since when it counts.
type EvaluationNumber struct {
	Number   uint64
	Recovery time.Time // date of the TCB recovery event
	TCBDate  time.Time
}

// EvaluationNumbers verifies a list: the exact inner object, its signature (128 hex digits) and the signer's chain (PEM). root
// nil means Intel's. Windows are the caller's to judge.
func (v *Verifier) EvaluationNumbers(document, signature, chain string, root []byte) (*EvaluationNumbers, error) {
	trusted, err := v.trustedRoot(nil, nil, Options{Root: root})
	if err != nil {
		return nil, err
	}
	var s signed
	s.signer, s.chainFault = verifySigner(chain, trusted.certificate, ClassTCBChain)
	s.verify(document, signature, ClassTCBInfoSignature)
	for _, f := range []*fault{s.chainFault, s.signatureFault} {
		if f != nil {
			return nil, fmt.Errorf("dcap: evaluation data numbers are not genuine: %w", f)
		}
	}
	return parseEvaluationNumbers(document)
}

func parseEvaluationNumbers(document string) (*EvaluationNumbers, error) {
	out := &EvaluationNumbers{}
	var id string
	var issued, next int64
	var have fields
	err := parseJSON([]byte(document), func(s *scanner) error {
		return s.object(func(name []byte) (err error) {
			switch string(name) {
			case "id":
				err = s.text(&id)
				have.got(0)
			case "version":
				_, err = s.number(1)
				have.got(1)
			case "issueDate":
				err = s.date(&issued)
				have.got(2)
			case "nextUpdate":
				err = s.date(&next)
				have.got(3)
			case "tcbEvalNumbers":
				err = s.array(func() error { return out.parseNumber(s) })
				have.got(4)
			default:
				err = s.skip()
			}
			return err
		})
	})
	if out.TEE = SGX; id == "TDX" {
		out.TEE = TDX
	}
	if err != nil || !have.all(5) || id != "SGX" && id != "TDX" || len(out.Numbers) == 0 {
		return nil, errors.New("dcap: evaluation data numbers: not a document of version 1 as Intel publishes it")
	}
	out.Issued, out.NextUpdate = time.Unix(issued, 0).UTC(), time.Unix(next, 0).UTC()
	return out, nil
}

func (e *EvaluationNumbers) parseNumber(s *scanner) error {
	var n EvaluationNumber
	var recovery, tcb int64
	var have fields
	err := s.object(func(name []byte) (err error) {
		switch string(name) {
		case "tcbEvaluationDataNumber":
			n.Number, err = s.number(1<<32 - 1)
			have.got(0)
		case "tcbRecoveryEventDate":
			err = s.date(&recovery)
			have.got(1)
		case "tcbDate":
			err = s.date(&tcb)
			have.got(2)
		default:
			err = s.skip()
		}
		return err
	})
	if err != nil || !have.all(3) {
		return errJSON
	}
	n.Recovery, n.TCBDate = time.Unix(recovery, 0).UTC(), time.Unix(tcb, 0).UTC()
	e.Numbers = append(e.Numbers, n)
	return nil
}
