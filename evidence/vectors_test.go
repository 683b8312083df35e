package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/formats/vectors/statement.json anew")

const vectorFile = "../docs/formats/vectors/statement.json"

// vector is one statement in docs/formats/vectors/statement.json.
type vector struct {
	Type       string `json:"type"`
	Bytes      string `json:"bytes"` // the exact bytes, as text
	SHA256     string `json:"sha256"`
	ReportData string `json:"report_data"`
}

func fill(b byte) (k [32]byte) {
	for i := range k {
		k[i] = b
	}
	return k
}

const testAgent = "25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10"

func samplePart() AgentPart {
	key := PublicKey(fill(3))
	return AgentPart{
		Type: AgentPartType, Agent: testAgent, Name: "Eliza & <friends>", Character: Digest(fill(1)),
		Log: LogIdentity{Number: 1, Origin: Origin(testAgent, key), Key: key}, AgentKey: PublicKey(fill(4)),
		Wallets: []Wallet{{"evm", "0xB20F6adf676D488b22962f0C84CD011BE6DD63cB", "eliza/0.1.7", true}, {"solana", "9yZBmCRRFEBtA3KYokxC24igv1ijFp6tyvzKxRs3khTE", "teapot/wallet/v1", false}},
		Found:   Found{BootNumber: 2, Size: 40, Root: Digest(fill(5)), LastTime: 1764084000000},
		Earlier: []EarlierLog{{Unknown, Unknown}},
	}
}

func sampleBoot(t testing.TB) Boot {
	t.Helper()
	part, err := samplePart().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return Boot{
		Type: BootType, BootID: BootID{0: 0xaa, 15: 0xbb}, BootKey: PublicKey(fill(6)), Number: 1, Time: 1764084123456, TLSKey: Bytes{0x30, 0x59},
		HPKEKeys: []HPKEKey{{1, 0x20, 1, 2, Bytes{1, 2, 3}}, {2, 0x647a, 1, 2, Bytes{4}}}, Software: Software{"teapot", "v0.1.0"},
		Configuration: Digest(fill(7)), Plugins: Digest(fill(8)),
		Policies: Policies{
			Spending: []Spending{{testAgent, "solana", "native", "1000000", "5000000", nil}},
			Witness:  Witness{1, []string{"w+01+AA"}},
			Erasure:  Erasure{[]string{"operator", "user"}},
			GuestAPI: []GuestAPI{{"guest", []string{"GetKey", "GetQuote"}, []string{"app/"}, nil, false}},
		},
		Custody:    KeyCustody{KMS("02ab", "ea549f02e1a25fabd1cb788380e033ec5461b2ff", "owner"), MRENCLAVE, MRSIGNER(strings.Repeat("ab", 32))},
		Unmeasured: []Unmeasured{{"env OPENAI_API_URL", "the host could have set it"}}, Platform: "dstack-tdx", Agents: []Digest{Sum(part)},
	}
}

func sampleStatements(t testing.TB) map[string]interface{ Marshal() ([]byte, error) } {
	boot, err := sampleBoot(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	id, nonce := Sum(boot), Bytes(bytes.Repeat([]byte{9}, 16))
	leaf, exporter := fill(10), fill(11)
	return map[string]interface{ Marshal() ([]byte, error) }{
		"boot": sampleBoot(t), "part": samplePart(),
		"boot-empty": Boot{Platform: "simulator", Custody: KeyCustody{Operator, Operator, PublicSeed}},
		"session-tls": Session{
			Boot: id, Nonce: nonce, Checkpoints: []string{"a\n1\nroot\n"}, Time: 5,
			Channel: Channel{Kind: ChannelTLS, Exporter: exporter[:], Leaf: leaf[:]},
		},
		"session-hpke": Session{Boot: id, Nonce: nonce, Channel: Channel{Kind: ChannelHPKE, HPKEKeyID: 2, Enc: leaf[:]}},
		"session-none": Session{Boot: id, Nonce: nonce, Channel: Channel{Kind: ChannelNone}},
		"recovery": Recovery{
			Time: 7, Software: Software{"teapot", "v0.1.0"}, Operator: Digest(fill(13)), Envelope: Digest(fill(14)),
			Key: HPKEKey{0, kemRecovery, kdfRecovery, aeadRecovery, bytes.Repeat([]byte{15}, 1216)},
		},
		"extract": Extract{Boot: id, Nonce: nonce, Query: `{"type":"message"}`, Result: Digest(fill(12)), Checkpoint: "a\n1\nroot\n", Time: 6},
	}
}

func parseAny(raw []byte) (interface{ Marshal() ([]byte, error) }, error) {
	typ, err := TypeOf(raw)
	if err != nil {
		return nil, err
	}
	switch typ {
	case BootType:
		return ParseBoot(raw)
	case AgentPartType:
		return ParseAgentPart(raw)
	case SessionType:
		return ParseSession(raw)
	case RecoveryType:
		return ParseRecovery(raw)
	default:
		return ParseExtract(raw)
	}
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string]vector
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for name, s := range sampleStatements(t) {
		raw, err := s.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v, rd := vectors[name], ReportData(raw)
		if v.Bytes != string(raw) || v.SHA256 != Sum(raw).String() || v.ReportData != hex.EncodeToString(rd[:]) {
			t.Errorf("%s: vector differs; run go test ./evidence -update if the format changed with a new version", name)
		}
		back, err := parseAny([]byte(v.Bytes))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again, err := back.Marshal(); err != nil || string(again) != v.Bytes {
			t.Errorf("%s: parse and marshal is not the identity (%v)", name, err)
		}
	}
}

func writeVectors(t *testing.T) {
	out := map[string]vector{}
	for name, s := range sampleStatements(t) {
		raw, err := s.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		typ, _ := TypeOf(raw)
		rd := ReportData(raw)
		out[name] = vector{typ, string(raw), Sum(raw).String(), hex.EncodeToString(rd[:])}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func FuzzStatement(f *testing.F) {
	for _, s := range sampleStatements(f) {
		raw, _ := s.Marshal()
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseAny(raw)
		if err != nil {
			return
		}
		again, err := s.Marshal()
		if err != nil || !bytes.Equal(raw, again) {
			t.Fatalf("accepted bytes are not the one encoding: %q %v", raw, err)
		}
	})
}
