package envelope

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/teapot-tee/teapot/boot/operator"
)

var update = flag.Bool("update", false, "write docs/formats/vectors/envelope.json anew")

const vectorFile = "../../docs/formats/vectors/envelope.json"

// vector is an envelope with a slot of each kind and everything that opens it. Hex, but for the two texts.
type vector struct {
	MREnclave string `json:"mrenclave"`
	MRSigner  string `json:"mrsigner"`
	Operator  string `json:"operator_secret_file"`
	Name      string `json:"operator_name"` // SHA-256 of the two public keys
	DataKey   string `json:"data_key"`
	Envelope  string `json:"envelope"`
}

// Somebody else's implementation must open these bytes, and so must every later version of ours.
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
	person, err := operator.ParseSecret([]byte(v.Operator))
	if err != nil || person.Public().Digest().String() != v.Name {
		t.Fatalf("operator %v, want %s", err, v.Name)
	}
	for kind, secret := range map[Kind]string{MRENCLAVE: v.MREnclave, MRSIGNER: v.MRSigner} {
		got, by, err := Open([]byte(v.Envelope), []Key{{Kind: kind, Secret: unhex(t, secret)}})
		if err != nil || by != kind || hex.EncodeToString(got) != v.DataKey {
			t.Errorf("%s: %x, %v", kind, got, err)
		}
	}
	if got, err := OpenAsOperator([]byte(v.Envelope), person); err != nil || hex.EncodeToString(got) != v.DataKey {
		t.Errorf("operator: %x, %v", got, err)
	}
}

func writeVector(t *testing.T) {
	t.Helper()
	secret := `{"type":"teapot/operator-secret/v1","seed":"` + hex.EncodeToString(bytes.Repeat([]byte{3}, 32)) + `"}`
	person, err := operator.ParseSecret([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	keys, dataKey := []Key{key(MRENCLAVE, 1), key(MRSIGNER, 2)}, bytes.Repeat([]byte{4}, 32)
	sealed, err := Seal(dataKey, keys, person.Public())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(vector{
		MREnclave: hex.EncodeToString(keys[0].Secret), MRSigner: hex.EncodeToString(keys[1].Secret), Operator: secret,
		Name: person.Public().Digest().String(), DataKey: hex.EncodeToString(dataKey), Envelope: string(sealed),
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
