package operator

import (
	"bytes"
	"crypto/hpke"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/teapot-tee/teapot/evidence"
)

var update = flag.Bool("update", false, "write docs/formats/vectors/recovery-answer.json anew")

const vectorFile = "../../docs/formats/vectors/recovery-answer.json"

// vector is a request, the enclave's half of the key in it, and an answer. Hex, but for the texts.
type vector struct {
	Public     string `json:"operator_public_file"`
	Statement  string `json:"statement"`
	PrivateKey string `json:"private_key"` // of the key in the statement: 32 bytes
	Answer     string `json:"answer"`
	DataKey    string `json:"data_key"`
}

// Somebody else's implementation must open this answer, and so must every later version of ours.
func TestVector(t *testing.T) {
	if *update {
		writeVector(t)
	}
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	private, err := hex.DecodeString(v.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hpke.MLKEM768X25519().NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	from, err := ParsePublic([]byte(v.Public))
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&Request{Statement: []byte(v.Statement), key: key}).Open([]byte(v.Answer), from)
	if err != nil || hex.EncodeToString(got) != v.DataKey {
		t.Errorf("%x, %v", got, err)
	}
}

func writeVector(t *testing.T) {
	t.Helper()
	person, err := fromSeed([32]byte(bytes.Repeat([]byte{3}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := NewRequest(7, evidence.Software{Name: "teapot", Version: "v0.1.0"}, person.Public(), []byte("envelope"))
	if err != nil {
		t.Fatal(err)
	}
	private, err := asked.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	dataKey := bytes.Repeat([]byte{4}, 32)
	answer, err := person.Answer(asked.Statement, dataKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := person.Public().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(vector{
		Public: string(public), Statement: string(asked.Statement), PrivateKey: hex.EncodeToString(private), Answer: string(answer),
		DataKey: hex.EncodeToString(dataKey),
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
