package operator

import (
	"crypto/ed25519"
	"crypto/hpke"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/evidence"
)

const answerType = "teapot/recovery-answer/v1"

type answerFile struct {
	Type      string          `json:"type"`
	Request   evidence.Digest `json:"request"`   // SHA-256 of the recovery statement
	Sealed    []byte          `json:"sealed"`    // HPKE to the statement's key: encapsulated key ‖ ciphertext of the data key
	Signature []byte          `json:"signature"` // Ed25519 of the operator over answerType ‖ 00 ‖ Request ‖ Sealed
}

// Request is an enclave's question and the private half of the key in it.
type Request struct {
	Statement []byte // exact bytes of the evidence.Recovery
	key       hpke.PrivateKey
}

// NewRequest makes the statement for which the enclave must get a quote. millis is the host's clock.
func NewRequest(millis uint64, software evidence.Software, operator *PublicKey, envelope []byte) (*Request, error) {
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, err
	}
	suite := key.KEM().ID()
	statement, err := evidence.Recovery{
		Time: millis, Software: software, Operator: operator.Digest(), Envelope: evidence.Sum(envelope),
		Key: evidence.HPKEKey{KEM: uint64(suite), KDF: uint64(hpke.HKDFSHA256().ID()), AEAD: uint64(hpke.AES256GCM().ID()), Public: key.PublicKey().Bytes()},
	}.Marshal()
	return &Request{Statement: statement, key: key}, err
}

// Open takes an answer only from the operator and only to this request, and returns the data key.
func (r *Request) Open(answer []byte, from *PublicKey) ([]byte, error) {
	var f answerFile
	if err := parse(answer, &f); err != nil {
		return nil, fmt.Errorf("the answer: %w", err)
	}
	if f.Type != answerType {
		return nil, fmt.Errorf("the answer: type %q, want %q", f.Type, answerType)
	}
	if f.Request != evidence.Sum(r.Statement) {
		return nil, errors.New("the answer is to another request: each start asks anew, so answer the newest")
	}
	if !ed25519.Verify(from.sign, f.signed(), f.Signature) {
		return nil, errors.New("the answer is not signed by the operator whose key this enclave measured")
	}
	dataKey, err := hpke.Open(r.key, hpke.HKDFSHA256(), hpke.AES256GCM(), f.info(), f.Sealed)
	if err != nil {
		return nil, fmt.Errorf("the answer: %w", err)
	}
	if len(dataKey) != 32 {
		return nil, fmt.Errorf("the answer holds %d bytes, a data key has 32", len(dataKey))
	}
	return dataKey, nil
}

// Answer seals the data key to the key in the statement. The caller has judged the statement's quote: whoever made the statement
// reads the data from now on.
func (k *SecretKey) Answer(statement, dataKey []byte) ([]byte, error) {
	s, err := evidence.ParseRecovery(statement)
	if err != nil {
		return nil, err
	}
	if s.Operator != k.Public().Digest() {
		return nil, fmt.Errorf("the request is to operator %s, this key is %s", s.Operator, k.Public().Digest())
	}
	to, err := hpke.MLKEM768X25519().NewPublicKey(s.Key.Public)
	if err != nil {
		return nil, err
	}
	f := answerFile{Type: answerType, Request: evidence.Sum(statement)}
	if f.Sealed, err = hpke.Seal(to, hpke.HKDFSHA256(), hpke.AES256GCM(), f.info(), dataKey); err != nil {
		return nil, err
	}
	f.Signature = ed25519.Sign(k.sign, f.signed())
	return encode(f)
}

func (f answerFile) info() []byte { return append([]byte(answerType+"\x00"), f.Request[:]...) }

func (f answerFile) signed() []byte { return append(f.info(), f.Sealed...) }
