package operator

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/teapot-tee/teapot/evidence"
)

func made(t *testing.T) *SecretKey {
	t.Helper()
	k, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestBothHalvesSurviveTheirFiles(t *testing.T) {
	k := made(t)
	secret, err := k.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSecret(secret)
	if err != nil || again.Public().Digest() != k.Public().Digest() {
		t.Fatalf("%v", err)
	}
	public, err := k.Public().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParsePublic(public)
	if err != nil || parsed.Digest() != k.Public().Digest() {
		t.Fatalf("%v", err)
	}
	sealed, err := parsed.Seal("for this", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("for this", sealed); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := again.Open("for that", sealed); err == nil {
		t.Error("opened for another use")
	}
	if _, err := ParsePublic(secret); err == nil {
		t.Error("a secret file is taken for a public one")
	}
	for _, bad := range []string{"", "{}", `{"type":"teapot/operator-secret/v1","seed":"00"}`, string(secret) + "{}"} {
		if _, err := ParseSecret([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func request(t *testing.T, to *PublicKey) *Request {
	t.Helper()
	r, err := NewRequest(1, evidence.Software{Name: "teapot", Version: "test"}, to, []byte("envelope"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnlyTheOperatorsAnswerToThisRequestIsTaken(t *testing.T) {
	k, dataKey := made(t), bytes.Repeat([]byte{5}, 32)
	r := request(t, k.Public())
	answer, err := k.Answer(r.Statement, dataKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Open(answer, k.Public()); err != nil || !bytes.Equal(got, dataKey) {
		t.Fatalf("%x, %v", got, err)
	}
	if bytes.Contains(answer, dataKey) {
		t.Error("the data key is in the answer")
	}
	if _, err := request(t, k.Public()).Open(answer, k.Public()); err == nil {
		t.Error("an answer to another request is taken")
	}
	if _, err := r.Open(answer, made(t).Public()); err == nil {
		t.Error("another operator's answer is taken")
	}
	if _, err := made(t).Answer(r.Statement, dataKey); err == nil {
		t.Error("answered a request to somebody else")
	}
}

// TestTheHostCannotMakeAnAnswer: it knows every public key and can seal what it likes to the enclave; it cannot sign.
func TestTheHostCannotMakeAnAnswer(t *testing.T) {
	k, host := made(t), made(t)
	r := request(t, k.Public())
	honest, err := k.Answer(r.Statement, bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	toHost := request(t, host.Public())
	own, err := host.Answer(toHost.Statement, bytes.Repeat([]byte{6}, 32))
	if err != nil {
		t.Fatal(err)
	}
	var mixed, foreign answerFile
	if json.Unmarshal(honest, &mixed) != nil || json.Unmarshal(own, &foreign) != nil {
		t.Fatal("answers do not parse")
	}
	mixed.Sealed = foreign.Sealed
	bad, err := encode(mixed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(bad, k.Public()); err == nil {
		t.Error("sealed bytes of the host are taken under the operator's signature")
	}
	if _, err := r.Open(nil, k.Public()); err == nil {
		t.Error("an empty answer is taken")
	}
}
